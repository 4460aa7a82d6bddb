// SPDX-License-Identifier: Apache-2.0

package record

import "strconv"

// Leaf is one value of a body that can be shown without the others: a text, a number, a
// truth value, an empty object or an empty array.
type Leaf struct {
	// Path leads from the body to the value: "/" and a key for a member of an object, "["
	// and a number and "]" for an element of an array, such as /claims[0]/low.
	Path string
	// Value is the value in canonical JSON.
	Value []byte
}

// Leaves takes a body apart into its leaves, in the order in which they stand. Two bodies
// with the same leaves are the same bytes. An error says that body is not canonical JSON of
// the depth that a body may have.
func Leaves(body []byte) (out []Leaf, err error) {
	if err := checkCanonical(body, bodyDepth); err != nil {
		return nil, err
	}
	p := &parser{b: body}
	err = p.leaves("", bodyDepth, func(path string, value []byte) { out = append(out, Leaf{path, value}) })
	return out, err
}

func (p *parser) leaves(path string, depth int, give func(path string, value []byte)) error {
	from, inside := p.i, false
	var err error
	switch p.peek() {
	case '{':
		err = p.members(func(key []byte) error {
			inside = true
			return p.leaves(path+"/"+string(key), depth+1, give)
		})
	case '[':
		err = p.elements(func(i int) error {
			inside = true
			return p.leaves(path+"["+strconv.Itoa(i)+"]", depth+1, give)
		})
	default:
		err = p.value(depth)
	}
	if err == nil && !inside {
		give(path, p.b[from:p.i:p.i])
	}
	return err
}
