// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"truceline/internal/local"
)

// further is how many ports after the first are tried.
const further = 200

// listen takes an address for every node: the one that it had, so that the others need not
// be told of a new one, or the next port that is free.
func (x *Exercise) listen() error {
	host, port, err := net.SplitHostPort(x.set.Near)
	if err != nil {
		return err
	}
	near, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	had, err := x.addresses()
	if err != nil {
		return err
	}
	for _, p := range x.Nodes {
		if h, _, err := net.SplitHostPort(had[p.Member]); err == nil && h == host {
			p.listener, _ = net.Listen("tcp", had[p.Member]) // else another
		}
	}
	for _, p := range x.Nodes {
		for try := 0; p.listener == nil && try < further; try++ {
			near++
			p.listener, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(near)))
		}
		if p.listener == nil {
			return fmt.Errorf("find a free port for the node of %s: none of the %d after %s is: %w; choose another with --listen HOST:PORT", p.Member, further, port, err)
		}
		p.URL = "http://" + p.listener.Addr().String()
	}
	return nil
}

// addresses are those that the nodes had when they last ran, as far as they are known.
func (x *Exercise) addresses() (map[string]string, error) {
	out := map[string]string{}
	note := func(code, address string) {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			out[code] = u.Host
		}
	}
	for _, p := range x.members() {
		_, cfg, err := local.Open(p.Dir)
		if _, missing := os.Stat(filepath.Join(p.Dir, local.ConfigFile)); errors.Is(missing, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		note(p.Member, cfg.URL)
		note(x.registry().Member, cfg.RegistryURL)
	}
	return out, nil
}
