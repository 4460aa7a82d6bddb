// SPDX-License-Identifier: Apache-2.0

package quorum_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/witness"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
)

const (
	testOrigin = "ledger.example.org/mission-7"
	testTime   = 1_760_000_000
)

// seed makes the same random bytes for the same name.
func seed(name string) *rand.ChaCha8 {
	var b [32]byte
	copy(b[:], name)
	return rand.NewChaCha8(b)
}

type logKey struct {
	signer note.Signer
	vkey   string
}

func newLog(t testing.TB, origin string) logKey {
	t.Helper()
	skey, vkey, err := ledger.GenerateKey(seed(origin), origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return logKey{signer, vkey}
}

func newWitness(t testing.TB, name string) *cosign.Signer {
	t.Helper()
	skey, _, err := cosign.GenerateKey(seed(name), name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cosign.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// head is a checkpoint signed by a log and by witnesses.
func head(t fataler, log logKey, witnesses ...*cosign.Signer) []byte {
	t.Helper()
	edge := ledger.NewEdge()
	edge.Append(ledger.LeafHash([]byte("entry")))
	c := ledger.Checkpoint{Origin: testOrigin, Size: 1, Root: edge.Root()}
	b, err := ledger.Sign(c, log.signer)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range witnesses {
		sig, err := w.Cosign(c.Text(), testTime+int64(i))
		if err != nil {
			t.Fatal(err)
		}
		if b, err = cosign.AddSignatures(b, sig); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// keys fills the names of keys into a policy: L, M are logs, A to E witnesses, P the
// post-quantum one, O the log's key as a witness.
func keys(t testing.TB) *strings.Replacer {
	t.Helper()
	words := []string{"<L>", newLog(t, testOrigin).vkey, "<M>", newLog(t, "other.example/log").vkey, "<P>", mldsa}
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		words = append(words, "<"+name+">", newWitness(t, "w.example/"+name).VKey())
	}
	_, plain, err := ledger.GenerateKey(seed("w.example/A"), "w.example/A")
	if err != nil {
		t.Fatal(err)
	}
	_, renamed, err := cosign.GenerateKey(seed("w.example/A"), "w.example/Z")
	if err != nil {
		t.Fatal(err)
	}
	_, own, err := cosign.GenerateKey(seed(testOrigin), testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(append(words, "<plain A>", plain, "<renamed A>", renamed, "<O>", own, "@", "https://w.example/")...)
}

var mldsa = func() string {
	_, vkey, err := fnote.GenerateMLDSAKey("w.example/P")
	if err != nil {
		panic(err)
	}
	return vkey
}()

const three = "log <L>\nwitness A <A> @a\nwitness B <B> @b\nwitness C <C> @c\n"

func TestParse(t *testing.T) {
	fill := keys(t)
	many := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line+"\n", i)
		}
		return b.String()
	}
	const yes, no = true, false
	for name, tt := range map[string]struct {
		text         string
		ours, theirs bool // read by us, by formats
	}{
		"2 of 3":                  {three + "group g 2 A B C\nquorum g\n", yes, yes},
		"all":                     {three + "group g all A B C\nquorum g\n", yes, yes},
		"any":                     {three + "group g any A B C\nquorum g\n", yes, yes},
		"one witness":             {three + "quorum A\n", yes, yes},
		"none":                    {three + "quorum none\n", yes, yes},
		"only the quorum":         {"quorum none", yes, yes},
		"two logs":                {"log <M> https://m.example/\n" + three + "quorum A\n", yes, yes},
		"groups of groups":        {three + "witness D <D> @d\ngroup x any A B\ngroup y any C D\ngroup z all x y\nquorum z\n", yes, yes},
		"comments and blanks":     {"# a comment\n\n  \t\n\t # more: log\n" + three + "quorum A\n#", yes, yes},
		"tabs and spaces":         {"  log\t<L>  \n witness \t A\t\t<A>  @a \n quorum\tA ", yes, yes},
		"no last line feed":       {three + "quorum A", yes, yes},
		"witness after quorum":    {"witness A <A> @a\nquorum A\nwitness B <B> @b\n", yes, yes},
		"names of other letters":  {"witness Ⅰ\xff <A> @a\ngroup \xe2\x84\xaa any Ⅰ\xff\nquorum \xe2\x84\xaa\n", yes, yes},
		"ML-DSA":                  {three + "witness P <P> @p\ngroup g 2 A B P\nquorum g\n", yes, yes},
		"same key as log":         {three + "witness O <O> @o\nquorum O\n", yes, yes},
		"no quorum":               {three, no, no},
		"empty":                   {"", no, no},
		"unknown word":            {three + "witnesses A\nquorum A\n", no, no},
		"upper case":              {three + "Quorum A\n", no, no},
		"unknown member":          {three + "group g any A X\nquorum g\n", no, no},
		"unknown quorum":          {three + "quorum X\n", no, no},
		"member defined below":    {"group g any A\nwitness A <A> @a\nquorum g\n", no, no},
		"itself":                  {three + "group g any A g\nquorum g\n", no, no},
		"no members":              {three + "group g any\nquorum none\n", no, no},
		"more than all":           {three + "group g 4 A B C\nquorum g\n", no, no},
		"minus one":               {three + "group g -1 A B C\nquorum g\n", no, no},
		"name twice":              {three + "witness A <D> @d\nquorum A\n", no, no},
		"group named as witness":  {three + "group A any B C\nquorum A\n", no, no},
		"none as a witness":       {"witness none <A> @a\nquorum none\n", no, no},
		"none as a group":         {three + "group none any A\nquorum none\n", no, no},
		"none as a member":        {three + "group g any A none\nquorum g\n", no, no},
		"quorum of two words":     {three + "quorum A B\n", no, no},
		"quorum of no word":       {three + "quorum\n", no, no},
		"bad key":                 {"witness A w.example/A+00000000+AAAA @a\nquorum A\n", no, no},
		"witness without key":     {"witness A\nquorum A\n", no, no},
		"too many words":          {"witness A <A> @a @b\nquorum A\n", no, no},
		"space in the key's name": {"witness A a\u00a0b+00000000+AAAA @a\nquorum A\n", no, no},

		// By the standard right, and refused by formats, which reads for a log that submits.
		"no URL":           {"witness A <A>\nquorum A\n", yes, no},
		"keyword as name":  {"witness log <A> @a\nquorum log\n", yes, no},
		"URL that is none": {"witness A <A> ://\nquorum A\n", yes, no},

		// By the standard wrong, and read by formats.
		"same key twice":            {three + "witness Z <renamed A> @z\nquorum A\n", no, yes},
		"same log twice":            {"log <L>\nlog <L>\nquorum none\n", no, yes},
		"a member of two groups":    {three + "group g any A B\ngroup h any A C\ngroup q all g h\nquorum q\n", no, yes},
		"a member twice":            {three + "group g 2 A A\nquorum g\n", no, yes},
		"all of no members":         {three + "group g all\nquorum g\n", no, yes},
		"zero of three":             {three + "group g 0 A B C\nquorum g\n", no, yes},
		"two quorums":               {three + "quorum A\nquorum B\n", no, yes},
		"quorum above":              {"quorum A\n" + three, no, yes},
		"plain key of a witness":    {"witness A <plain A> @a\nquorum A\n", no, yes},
		"cosigner's key of a log":   {"log <A>\nquorum none\n", no, yes},
		"log without a key":         {"log\nquorum none\n", no, yes},
		"carriage returns":          {strings.ReplaceAll(three+"quorum A\n", "\n", "\r\n"), no, yes},
		"form feed":                 {three + "quorum\fA\n", no, yes},
		"NUL in a comment":          {"#\x00\n" + three + "quorum A\n", no, yes},
		"hash of a key is another":  {"witness A w.example/A+00000000" + fill.Replace("<A>")[len("w.example/A+00000000"):] + " @a\nquorum A\n", no, yes},
		"upper case in a key":       {"log " + strings.ToUpper(fill.Replace("<L>")) + "\nquorum none\n", no, yes},
		"49 logs":                   {many(49, "log <log %d>") + "quorum none\n", no, yes},
		"comment after a line":      {three + "quorum A # nobody else\n", no, yes},
		"comment after the members": {three + "group g any A #B\nquorum g\n", no, yes},
		"hash in a URL":             {"witness A <A> @a#b\nquorum A\n", no, yes},
	} {
		text := fill.Replace(tt.text)
		p, err := quorum.Parse(text)
		if (err == nil) != tt.ours {
			t.Errorf("%s: Parse = %v", name, err)
		}
		if _, err := witness.ParsePolicy([]byte(text)); (err == nil) != tt.theirs {
			t.Errorf("%s: formats says %v", name, err)
		}
		if err != nil {
			continue
		}
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		again, err := quorum.Parse(p.String())
		if err != nil || !reflect.DeepEqual(again, p) || again.String() != p.String() {
			t.Errorf("%s: written as\n%sand read as %+v, %v", name, p, again, err)
		}
	}
}

func TestLimits(t *testing.T) {
	text := func(logs, witnesses, groups int) string {
		var b strings.Builder
		for i := range logs {
			fmt.Fprintf(&b, "log %s\n", newLog(t, fmt.Sprint("log-", i)).vkey)
		}
		for i := range witnesses {
			fmt.Fprintf(&b, "witness w%d %s\n", i, newWitness(t, fmt.Sprint("w-", i)).VKey())
		}
		for i := range groups {
			member := "w0"
			if i > 0 {
				member = fmt.Sprint("g", i-1)
			}
			fmt.Fprintf(&b, "group g%d all %s\n", i, member)
		}
		b.WriteString("quorum none\n")
		return b.String()
	}
	if _, err := quorum.Parse(text(quorum.MaxEntries, quorum.MaxEntries, quorum.MaxEntries)); err != nil {
		t.Error(err)
	}
	for i, text := range []string{
		text(quorum.MaxEntries+1, 1, 0), text(0, quorum.MaxEntries+1, 0), text(0, 1, quorum.MaxEntries+1),
		"#" + strings.Repeat("x", quorum.MaxPolicyBytes) + "\nquorum none\n",
		"witness " + strings.Repeat("n", quorum.MaxNameBytes+1) + " " + newWitness(t, "w").VKey() + "\nquorum none\n",
		"log " + newLog(t, "l").vkey + " " + strings.Repeat("u", quorum.MaxURLBytes+1) + "\nquorum none\n",
	} {
		if _, err := quorum.Parse(text); err == nil {
			t.Errorf("text %d is read", i)
		}
	}
	if quorum.MaxEntries < 32 {
		t.Error("the standard asks for 32")
	}
}

func TestString(t *testing.T) {
	fill := keys(t)
	p, err := quorum.Parse(fill.Replace("# ours\n  witness A\t<A>  @a\nwitness B <B>\n\ngroup g all A B\nlog <L>\nquorum g"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := p.String(), fill.Replace("log <L>\nwitness A <A> @a\nwitness B <B>\ngroup g 2 A B\nquorum g\n"); got != want {
		t.Errorf("String gives\n%swant\n%s", got, want)
	}
}

func TestCheck(t *testing.T) {
	fill := keys(t)
	log, other := newLog(t, testOrigin), newLog(t, "other.example/log")
	a, b, c := newWitness(t, "w.example/A"), newWitness(t, "w.example/B"), newWitness(t, "w.example/C")
	stranger := newWitness(t, "w.example/X")
	p, err := quorum.Parse(fill.Replace("log <M>\n" + three + "group g 2 A B C\nquorum g\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Check(head(t, log, c, stranger, a))
	if err != nil {
		t.Fatal(err)
	}
	want := &quorum.Result{
		Checkpoint: r.Checkpoint, LogKey: log.vkey, Witnessed: true, Missing: []string{"B"},
		Cosigned: []quorum.Cosigned{{Name: "A", VKey: a.VKey(), At: testTime + 2}, {Name: "C", VKey: c.VKey(), At: testTime}},
	}
	if !reflect.DeepEqual(r, want) || r.Checkpoint.Size != 1 || r.Checkpoint.Origin != testOrigin {
		t.Errorf("Check = %+v, want %+v", r, want)
	}
	if r, err := p.Check(head(t, log, b, stranger)); err != nil || r.Witnessed || !slices.Equal(r.Missing, []string{"A", "C"}) {
		t.Errorf("Check of one cosignature = %+v, %v", r, err)
	}
	none := &quorum.Policy{Logs: []quorum.Log{{VKey: log.vkey}}, Quorum: quorum.None}
	if r, err := none.Check(head(t, log)); err != nil || !r.Witnessed {
		t.Errorf("Check without witnesses = %+v, %v", r, err)
	}

	good := head(t, log, a, b)
	cut := func(head []byte, name string) []byte { // spoils a signature
		at := bytes.Index(head, []byte("— "+name+" ")) + len("— "+name+" ") + 60
		out := bytes.Clone(head)
		out[at] = map[bool]byte{true: 'B', false: 'A'}[out[at] == 'A']
		return out
	}
	if _, err := p.Check(cut(head(t, log, a, b, stranger), "w.example/X")); err != nil {
		t.Errorf("a bad line of a stranger: %v", err)
	}
	twice := append(bytes.Clone(good), head(t, log, b)[bytes.Index(head(t, log, b), []byte("— w.example/B")):]...)
	for name, tt := range map[string]struct {
		policy *quorum.Policy
		head   []byte
	}{
		"bad witness":               {p, cut(good, "w.example/A")},
		"bad witness beyond quorum": {p, cut(head(t, log, a, b, c), "w.example/C")},
		"bad log":                   {p, cut(good, testOrigin)},
		"witness twice":             {p, twice},
		"other log's key":           {p, head(t, other, a, b)}, // the origin is not its name
		"no known log":              {p, head(t, newLog(t, "third.example"), a, b)},
		"no log in the policy":      {&quorum.Policy{Witnesses: p.Witnesses, Quorum: "A"}, good},
		"invalid policy":            {&quorum.Policy{Logs: p.Logs, Quorum: "A"}, good},
		"no checkpoint":             {p, []byte("hello\n")},
	} {
		if r, err := tt.policy.Check(tt.head); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// A policy made by hand is held to the same rules, and never makes Check or Lint run on.
func TestValidate(t *testing.T) {
	a := newWitness(t, "w.example/A").VKey()
	w := []quorum.Witness{{Name: "A", VKey: a}}
	for name, p := range map[string]*quorum.Policy{
		"no quorum":     {Witnesses: w},
		"cycle":         {Groups: []quorum.Group{{Name: "g", Threshold: 1, Members: []string{"h"}}, {Name: "h", Threshold: 1, Members: []string{"g"}}}, Quorum: "g"},
		"zero":          {Witnesses: w, Groups: []quorum.Group{{Name: "g", Members: []string{"A"}}}, Quorum: "g"},
		"no members":    {Witnesses: w, Groups: []quorum.Group{{Name: "g", Threshold: 0}}, Quorum: "g"},
		"name of words": {Witnesses: []quorum.Witness{{Name: "A B", VKey: a}}, Quorum: "A B"},
		"no name":       {Witnesses: []quorum.Witness{{VKey: a}}, Quorum: quorum.None},
		"comment":       {Witnesses: []quorum.Witness{{Name: "#A", VKey: a}}, Quorum: "#A"},
		"URL of words":  {Witnesses: []quorum.Witness{{Name: "A", VKey: a, URL: "a b"}}, Quorum: "A"},
		"line feed":     {Witnesses: []quorum.Witness{{Name: "A", VKey: a, URL: "a\nquorum"}}, Quorum: "A"},
		"key twice":     {Witnesses: []quorum.Witness{{Name: "A", VKey: a}, {Name: "B", VKey: a}}, Quorum: "A"},
	} {
		if err := p.Validate(); err == nil {
			t.Errorf("%s: valid", name)
		}
		if r := p.Lint(); !r.Failed() || len(r.Findings) != 1 {
			t.Errorf("%s: Lint = %+v", name, r)
		}
	}
}

// drawPolicy makes a policy of up to most witnesses in random groups.
func drawPolicy(t *rapid.T, most int, signers map[string]*cosign.Signer, log logKey) *quorum.Policy {
	p := &quorum.Policy{Logs: []quorum.Log{{VKey: log.vkey}}}
	var names []string
	for i := range rapid.IntRange(1, most).Draw(t, "witnesses") {
		name := string(rune('A' + i))
		vkey := signers[name].VKey()
		p.Witnesses = append(p.Witnesses, quorum.Witness{Name: name, VKey: vkey, URL: "https://w.example/" + name})
		names = append(names, name)
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "groups") {
		if len(names) == 0 {
			break
		}
		names = rapid.Permutation(names).Draw(t, "names")
		n := rapid.IntRange(1, len(names)).Draw(t, "members")
		g := quorum.Group{Name: fmt.Sprint("g", i), Members: slices.Clone(names[:n]), Threshold: rapid.IntRange(1, n).Draw(t, "threshold")}
		p.Groups = append(p.Groups, g)
		names = append(names[n:], g.Name)
	}
	p.Quorum = rapid.SampledFrom(append([]string{names[len(names)-1], names[len(names)-1], quorum.None}, names...)).Draw(t, "quorum")
	return p
}

func testSigners(t testing.TB, n int) map[string]*cosign.Signer {
	out := make(map[string]*cosign.Signer)
	for i := range n {
		name := string(rune('A' + i))
		out[name] = newWitness(t, "w.example/"+name)
	}
	return out
}

// Check and formats agree on every policy and every set of signers.
func TestCheckAgreesWithFormats(t *testing.T) {
	signers, log := testSigners(t, 9), newLog(t, testOrigin)
	seen := make(map[bool]int)
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t, 9, signers, log)
		theirs, err := witness.ParsePolicy([]byte(p.String()))
		if err != nil {
			t.Fatalf("formats refuses\n%s%v", p, err)
		}
		parsed, err := quorum.Parse(p.String())
		if err != nil || !reflect.DeepEqual(parsed, p) {
			t.Fatalf("Parse refuses or changes\n%s%v", p, err)
		}
		var sign []*cosign.Signer
		for i := range 9 { // also some that the policy does not know
			if name := string(rune('A' + i)); rapid.Bool().Draw(t, name) {
				sign = append(sign, signers[name])
			}
		}
		b := head(t, log, sign...)
		r, err := p.Check(b)
		if err != nil {
			t.Fatal(err)
		}
		if r.Witnessed != theirs.Satisfied(b) {
			t.Fatalf("witnessed is %v to us and %v to formats\n%s%s", r.Witnessed, theirs.Satisfied(b), p, b)
		}
		if len(r.Cosigned)+len(r.Missing) != len(p.Witnesses) {
			t.Fatalf("%d cosigned and %d missing of %d", len(r.Cosigned), len(r.Missing), len(p.Witnesses))
		}
		seen[r.Witnessed]++
	})
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("the draws show little: %v", seen)
	}
}

// A post-quantum cosignature counts for formats and not for us: never the other way round.
func TestPostQuantumNeverCounts(t *testing.T) {
	skey, vkey, err := fnote.GenerateMLDSAKey("w.example/P")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := fnote.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	log, a := newLog(t, testOrigin), newWitness(t, "w.example/A")
	text := fmt.Sprintf("log %s\nwitness A %s @a\nwitness P %s @p\ngroup g all A P\nquorum g\n", log.vkey, a.VKey(), vkey)
	p, err := quorum.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := witness.ParsePolicy([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	b := head(t, log, a)
	body, _, _ := bytes.Cut(b, []byte("\n\n"))
	pq, err := note.Sign(&note.Note{Text: string(body) + "\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := bytes.Cut(pq, []byte("\n\n"))
	b = append(b, line...)
	if !theirs.Satisfied(b) {
		t.Fatal("formats does not count it: the test shows nothing")
	}
	if r, err := p.Check(b); err != nil || r.Witnessed || !slices.Equal(r.Missing, []string{"P"}) || len(r.Cosigned) != 1 {
		t.Errorf("Check = %+v, %v", r, err)
	}
}

// fataler is a test or one draw of a property.
type fataler interface {
	Helper()
	Fatal(...any)
}

// Two keys that a checkpoint's lines cannot tell apart would make every checkpoint refused.
func TestSameHash(t *testing.T) {
	const name = "w.example/A"
	seen := make(map[uint32][]byte)
	random := seed("same hash")
	for {
		public := make([]byte, 33)
		random.Read(public)
		public[0] = 4
		sum := sha256.Sum256(append([]byte(name+"\n"), public...))
		hash := binary.BigEndian.Uint32(sum[:])
		other, ok := seen[hash]
		if seen[hash] = public; !ok {
			continue
		}
		vkey := func(public []byte) string {
			return fmt.Sprintf("%s+%08x+%s", name, hash, base64.StdEncoding.EncodeToString(public))
		}
		p := &quorum.Policy{Witnesses: []quorum.Witness{{Name: "A", VKey: vkey(public)}, {Name: "B", VKey: vkey(other)}}, Quorum: "A"}
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "same hash") {
			t.Errorf("two keys of one hash: %v", err)
		}
		return
	}
}
