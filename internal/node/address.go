// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"net/url"
	"strings"

	"truceline/internal/local"
)

// CheckURL tells whether an address is one at which a node is reached: http or https, a
// host, and no slash, question or fragment at the end.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(address, "/") || u.String() != address) {
		err = fmt.Errorf("write it as https://HOST or https://HOST/PATH, without a slash at the end")
	}
	if err != nil {
		return fmt.Errorf("%.200q is no address of a node: %w", address, err)
	}
	return nil
}

// Readdress changes where a member's node, which must not be open, reaches the registry and
// is reached itself; empty leaves an address as it is. The next Enter or Introduce tells the
// others.
func Readdress(dir, registry, own string) error {
	priv, cfg, err := local.Open(dir)
	if err != nil {
		return err
	}
	if cfg.Member == "" {
		return fmt.Errorf("change the addresses of the node in %s: it is the registry's, and keeps none", dir)
	}
	was := *cfg
	if registry != "" {
		cfg.RegistryURL = registry
	}
	if own != "" {
		cfg.URL = own
	}
	if cfg.RegistryURL == was.RegistryURL && cfg.URL == was.URL {
		return nil
	}
	return priv.SaveConfig(cfg)
}
