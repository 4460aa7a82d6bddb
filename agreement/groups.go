// SPDX-License-Identifier: Apache-2.0

package agreement

import "slices"

// groups checks the groups, and that those made of parts can be added up: each part
// is a group, belongs to the side of the whole where the whole has one, is civilian
// where the whole is, and nobody is counted twice.
func (c *checker) groups(p *Pack) {
	byCode := map[string]*Group{}
	for i := range p.Groups {
		g := &p.Groups[i]
		c.code("groups", g.Code)
		c.text("groups "+g.Code, g.Name)
		if g.Side != "" && !c.codes["parties"][g.Side] {
			c.fail("groups %s: side %.40q is not a party", g.Code, g.Side)
		}
		if g.Complete && len(g.Parts) == 0 {
			c.fail("groups %s: complete says that parts make up the whole, and there are none", g.Code)
		}
		byCode[g.Code] = g
	}
	for i := range p.Groups {
		g := &p.Groups[i]
		for _, code := range g.Parts {
			part := byCode[code]
			switch {
			case part == nil:
				c.fail("groups %s: part %.40q is not a group", g.Code, code)
			case g.Side != "" && part.Side != g.Side:
				c.fail("groups %s: part %s does not belong to its side", g.Code, code)
			case g.Civilian && !part.Civilian:
				c.fail("groups %s: part %s is not civilian", g.Code, code)
			}
		}
	}
	if c.err != nil {
		return // the walk below needs parts that are groups
	}
	below := map[string][]string{} // group to all that lie in it; done groups only
	for i := range p.Groups {
		c.below(&p.Groups[i], byCode, below, nil)
	}
}

// below lists the groups that lie in g, at any depth, and fails where one lies in it
// twice or in itself. path is what led here.
func (c *checker) below(g *Group, byCode map[string]*Group, done map[string][]string, path []string) []string {
	if slices.Contains(path, g.Code) {
		c.fail("groups %s: it is a part of itself", g.Code)
	}
	if list, ok := done[g.Code]; ok || c.err != nil {
		return list
	}
	var list []string
	for _, code := range g.Parts {
		for _, x := range append([]string{code}, c.below(byCode[code], byCode, done, append(path, g.Code))...) {
			if slices.Contains(list, x) {
				c.fail("groups %s: %s lies in two of its parts", g.Code, x)
			}
			list = append(list, x)
		}
	}
	done[g.Code] = list
	return list
}
