// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"truceline/record"
)

// TestCanonicalVectors reads the list that other implementations test with.
func TestCanonicalVectors(t *testing.T) {
	b, err := os.ReadFile("../testdata/vectors/canonical.json")
	if err != nil {
		t.Fatal(err)
	}
	type vector struct{ Hex, What string }
	var v struct{ Good, Bad []vector }
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Good) < 20 || len(v.Bad) < 50 {
		t.Fatal("the list is cut")
	}
	for _, x := range v.Good {
		b, _ := hex.DecodeString(x.Hex)
		if err := record.CheckCanonical(b); err != nil {
			t.Errorf("%s: %q: %v", x.What, b, err)
		}
		var tree any
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		if err := dec.Decode(&tree); err != nil {
			t.Errorf("%s: %v", x.What, err)
		}
		if again, err := record.Canonical(tree); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: %q is written again as %q: %v", x.What, b, again, err)
		}
	}
	for _, x := range v.Bad {
		b, _ := hex.DecodeString(x.Hex)
		if record.CheckCanonical(b) == nil {
			t.Errorf("%s: %q is taken", x.What, b)
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, v := range []any{1.5, nil, []any{nil}, map[string]any{"a b": 1}, int64(1 << 53), "\xff", "\x00", "a\rb", "\x7f", "\u0085", map[string]string{"a": "\xff"}, struct {
		A *string `json:"a"`
	}{}, json.RawMessage("\"\xff\""), json.RawMessage("1.0")} {
		if b, err := record.Canonical(v); err == nil {
			t.Errorf("%#v is written as %s", v, b)
		}
	}
	// What encoding/json escapes and canonical JSON does not.
	for v, want := range map[any]string{"\u2028": "\"\u2028\"", "<>&": "\"<>&\"", "\n\t\u2028": "\"\\n\\t\u2028\"", struct {
		B int `json:"b"`
		A int `json:"a"`
	}{1, 2}: `{"a":2,"b":1}`} {
		if b, err := record.Canonical(v); err != nil || string(b) != want {
			t.Errorf("%#v is written as %s, not %s: %v", v, b, want, err)
		}
	}
}

// plain takes out what no string holds.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// trees draws what canonical JSON can hold.
func trees(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Map(rapid.String(), plain).AsAny(), rapid.Bool().AsAny(),
		rapid.Custom(func(t *rapid.T) any {
			return json.Number(fmt.Sprint(rapid.Int64Range(-record.MaxInt, record.MaxInt).Draw(t, "n")))
		}),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves,
		rapid.Custom(func(t *rapid.T) any { return rapid.SliceOfN(trees(depth-1), 0, 4).Draw(t, "list") }),
		rapid.Custom(func(t *rapid.T) any {
			return rapid.MapOfN(rapid.StringMatching(`[a-zA-Z0-9_.-]{1,9}`), trees(depth-1), 0, 4).Draw(t, "object")
		}))...)
}

func TestCanonicalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree := trees(4).Draw(t, "tree")
		b, err := record.Canonical(tree)
		if err != nil {
			t.Fatal(err)
		}
		if err := record.CheckCanonical(b); err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		var again any
		if err := dec.Decode(&again); err != nil || !reflect.DeepEqual(tree, again) {
			t.Fatalf("%#v came back as %#v: %v", tree, again, err)
		}
		// One changed byte either breaks the form or means something else.
		at, to := rapid.IntRange(0, len(b)-1).Draw(t, "at"), rapid.Byte().Draw(t, "to")
		other := slices.Clone(b)
		other[at] = to
		if to == b[at] || record.CheckCanonical(other) != nil {
			return
		}
		dec = json.NewDecoder(bytes.NewReader(other))
		dec.UseNumber()
		var third any
		if err := dec.Decode(&third); err != nil || reflect.DeepEqual(again, third) {
			t.Fatalf("%q and %q are both canonical and mean the same", b, other)
		}
	})
}

// slowDecode says what DecodeStrict must say, by reading with encoding/json, writing
// again and comparing.
func slowDecode(b []byte, v any) error {
	if err := record.CheckCanonical(b); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	again, err := record.Canonical(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, again) {
		return fmt.Errorf("not the one spelling")
	}
	return nil
}

func sameVerdict(t interface{ Fatalf(string, ...any) }, b []byte, typ reflect.Type) {
	fast, slow := reflect.New(typ), reflect.New(typ)
	fastErr, slowErr := record.DecodeStrict(b, fast.Interface()), slowDecode(b, slow.Interface())
	if (fastErr == nil) != (slowErr == nil) {
		t.Fatalf("%s: %s\nDecodeStrict: %v\nencoding/json: %v", typ, b, fastErr, slowErr)
	}
	if fastErr == nil && !reflect.DeepEqual(fast.Interface(), slow.Interface()) {
		t.Fatalf("%s: %s read as %#v and as %#v", typ, b, fast.Elem(), slow.Elem())
	}
}

// TestDecodeAgrees holds DecodeStrict to the slow way, over examples of every type
// that it reads and what becomes of them when they are damaged.
func TestDecodeAgrees(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var pieces []string
	for _, x := range examples() {
		b, err := record.Canonical(x)
		if err != nil {
			t.Fatal(err)
		}
		pieces = append(pieces, strings.FieldsFunc(string(b), func(r rune) bool { return r == ',' || r == '{' })...)
	}
	pieces = append(pieces, `""`, "{}", "[]", "0", "null", "true", "false", `"x":1`, ",", `"id":""`, "-1", "9007199254740991")
	taken := 0
	for _, x := range examples() {
		typ := reflect.TypeOf(x).Elem()
		good, _ := record.Canonical(x)
		fresh := reflect.New(typ).Interface()
		if err := record.DecodeStrict(good, fresh); err != nil || !reflect.DeepEqual(fresh, x) {
			t.Fatalf("%s: %s: %v", typ, good, err)
		}
		for range 3000 {
			b := slices.Clone(good)
			for range 1 + random.IntN(2) {
				at := random.IntN(len(b) + 1)
				end := min(len(b), at+random.IntN(12))
				piece := []byte(pieces[random.IntN(len(pieces))])
				switch random.IntN(4) {
				case 0:
					b = slices.Concat(b[:at], piece, b[end:])
				case 1:
					b = slices.Concat(b[:at], b[end:])
				case 2: // a whole member or element goes
					parts := bytes.Split(b, []byte(","))
					b = bytes.Join(slices.Delete(parts, random.IntN(len(parts)), len(parts))[:], []byte(","))
				default:
					if at < len(b) {
						b[at] = byte(random.IntN(128))
					}
				}
			}
			sameVerdict(t, b, typ)
			if record.DecodeStrict(b, reflect.New(typ).Interface()) == nil {
				taken++
			}
		}
		// Every field missing, emptied, or of another type.
		var tree map[string]json.RawMessage
		if err := json.Unmarshal(good, &tree); err != nil {
			t.Fatal(err)
		}
		for name := range tree {
			for _, v := range []string{"", `""`, "0", "1", "[]", "{}", "false", "true", `"x"`, `[""]`, `[0]`} {
				other := map[string]json.RawMessage{}
				for k, x := range tree {
					other[k] = x
				}
				if other[name] = json.RawMessage(v); v == "" {
					delete(other, name)
				}
				b, err := record.Canonical(other)
				if err != nil {
					t.Fatal(err)
				}
				sameVerdict(t, b, typ)
			}
		}
	}
	if taken < 1000 {
		t.Errorf("only %d of the damaged examples could be read: the damage is too coarse to tell anything", taken)
	}
}

// TestFieldsInOrder keeps writing fast: encoding/json must come out canonical.
func TestFieldsInOrder(t *testing.T) {
	for _, x := range examples() {
		plain, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		// The one escape more that encoding/json makes costs a second pass, seldom.
		plain = bytes.ReplaceAll(plain, []byte(`\u2028`), []byte("\u2028"))
		if err := record.CheckCanonical(plain); err != nil {
			t.Errorf("%T: %v", x, err)
		}
	}
}
