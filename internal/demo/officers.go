// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"context"
	"slices"

	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/record"
)

// Officers makes the demonstration one officer for each role, where they are not there
// yet, and gives a link for each: of the member whose node it is, or of the desk of a
// registry's. The links of an earlier start are void.
func Officers(ctx context.Context, n *node.Node, baseURL string) (map[string]string, error) {
	member := n.Config.Member
	if member == "" {
		member = n.Pack().MembersWith(record.DeskRole)[0]
	}
	have, err := n.Office.Officers(ctx, member)
	if err != nil {
		return nil, err
	}
	links := map[string]string{}
	for _, role := range office.Roles {
		at := slices.IndexFunc(have, func(o office.Officer) bool {
			return o.State != office.Left && slices.Equal(o.Roles, []string{role})
		})
		var id record.ID
		if at >= 0 {
			id = have[at].ID
		} else if id, err = n.Enrol(ctx, record.ID{}, member, names[role], []string{role}); err != nil {
			return nil, err
		}
		token, err := n.Invite(ctx, record.ID{}, id, office.InviteOptions{Life: node.DemoLife, Reusable: true})
		if err != nil {
			return nil, err
		}
		links[role] = baseURL + "/signin/" + token
	}
	return links, n.Sync(ctx)
}

// names are those of people who do not exist.
var names = map[string]string{
	office.RoleDesk:          "Example desk officer",
	office.RoleOperations:    "Example operations officer",
	office.RoleAdministrator: "Example administrator",
	office.RoleReader:        "Example reader",
}
