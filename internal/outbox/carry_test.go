// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"truceline/internal/outbox"
	"truceline/ledger"
	"truceline/record"
)

var update = flag.Bool("update", false, "write testdata/example.carry anew")

func header(size int64) outbox.CarryHeader {
	return outbox.CarryHeader{From: "VAL", MadeAt: 1_772_323_400_000, Mission: record.ID{1}, Origin: origin, Size: size}
}

// carry writes a file of items.
func carry(t tb, h outbox.CarryHeader, items ...outbox.CarryItem) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := outbox.NewCarryWriter(&b, h)
	must(t, err)
	for _, item := range items {
		must(t, w.Add(item))
	}
	must(t, w.Close())
	return b.Bytes()
}

// read gives the items of a file.
func read(file []byte) (h outbox.CarryHeader, items []outbox.CarryItem, err error) {
	f, err := outbox.OpenCarry(bytes.NewReader(file))
	if err != nil {
		return h, nil, err
	}
	for item, err := range f.Items() {
		if err != nil {
			return h, nil, err
		}
		items = append(items, item)
	}
	return f.Header, items, nil
}

// line is a record as the ledger has it.
func line(s outbox.Submission, r outbox.Receipt) *record.Line {
	l := &record.Line{Envelope: s.Envelope, Index: r.Index, LeafSalt: record.Digest(r.LeafSalt), LoggedAt: r.LoggedAt}
	if s.Body != nil {
		l.Body, l.BodySalt, l.Enc = s.Body, record.Digest(s.BodySalt), record.EncPlain
	}
	return l
}

// itemsOfEveryKind are the example that docs/formats/carry.md shows.
func itemsOfEveryKind(t tb) (outbox.CarryHeader, []outbox.CarryItem) {
	t.Helper()
	d, reg := newDesk(t, 1), newRegistry(t, 1)
	logged, refused := d.act(2), d.act(1)
	own := d.sign(record.OfficerNamed, &record.Naming{Name: "Amina Example", Officer: record.ID{3}})
	own.Body, own.BodySalt = nil, ledger.Salt{}
	receipts := reg.admit(logged.Records)
	proved := reg.prove(receipts)
	checkpoint := reg.checkpoint()
	cosigned := bytes.Replace(checkpoint, []byte("— "+origin), []byte("— "+origin+"/witness/VAL"), 1) // of the form, not true
	return header(2), []outbox.CarryItem{
		{Kind: outbox.CarryRecord, Record: line(logged.Records[0], receipts[0])},
		{Kind: outbox.CarryRecord, Record: line(logged.Records[1], receipts[1])},
		{Kind: outbox.CarryCheckpoint, Checkpoint: checkpoint},
		{Kind: outbox.CarryCosignatures, Cosignatures: cosigned},
		{Kind: outbox.CarryAct, Act: []outbox.Submission{d.report("EXERCISE, waiting"), own}},
		{Kind: outbox.CarryAct, Act: []outbox.Submission{d.sign(record.ClockTicked, nil)}},
		{Kind: outbox.CarryReceipt, Receipt: &receipts[0]},
		{Kind: outbox.CarryReceipt, Receipt: &proved[1]},
		{Kind: outbox.CarryRefusal, Refusal: reg.refuse(refused.Records[0], "VAL may not file this")},
		{Kind: outbox.CarryEvidence, Evidence: []byte(`{"evidence":"two-histories","v":1}`)},
	}
}

func TestCarryEveryKind(t *testing.T) {
	h, items := itemsOfEveryKind(t)
	file := carry(t, h, items...)
	const name = "testdata/example.carry"
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(name, file, 0o644))
	}
	if want, err := os.ReadFile(name); err != nil || !bytes.Equal(file, want) {
		t.Errorf("the file is not %s byte for byte: a change of the format needs a new version: %v", name, err)
	}
	gotHeader, got, err := read(file)
	must(t, err)
	if gotHeader != h || !reflect.DeepEqual(got, items) {
		t.Errorf("read\n%+v\n%+v, want\n%+v\n%+v", gotHeader, got, h, items)
	}
	f, err := outbox.OpenCarry(bytes.NewReader(file))
	must(t, err)
	if f.Counts[outbox.CarryRecord] != 2 || f.Counts[outbox.CarryAct] != 2 || f.Counts[outbox.CarryEvidence] != 1 {
		t.Errorf("counts %v", f.Counts)
	}
	for range f.Items() {
		break // must not go on
	}
	if _, got, err := read(carry(t, header(0))); err != nil || len(got) != 0 {
		t.Errorf("a file of no lines: %v, %v", got, err)
	}
}

// TestCarryAltered: a file cut short anywhere, with any one byte changed, with a line gone,
// doubled or exchanged, is refused as a whole.
func TestCarryAltered(t *testing.T) {
	h, items := itemsOfEveryKind(t)
	file := carry(t, h, items...)
	refused := func(what string, b []byte) {
		t.Helper()
		f, err := outbox.OpenCarry(bytes.NewReader(b))
		if err == nil {
			t.Errorf("%s: it opens with %v", what, f.Counts)
		} else if !errors.Is(err, outbox.ErrAltered) && !strings.Contains(err.Error(), "update needed") {
			t.Errorf("%s: %v, want ErrAltered", what, err)
		}
	}
	for i := range file {
		if i%7 == 0 || len(file)-i < 100 {
			refused(fmt.Sprintf("cut at byte %d", i), file[:i])
		}
		b := bytes.Clone(file)
		b[i] ^= []byte{1, 0x20, 0x80, 0x02}[i%4]
		refused(fmt.Sprintf("byte %d is %q and not %q", i, b[i], file[i]), b)
	}
	lines := bytes.SplitAfter(file, []byte("\n"))
	lines = lines[:len(lines)-1]
	join := func(parts ...[][]byte) []byte {
		return bytes.Join(func() (out [][]byte) {
			for _, p := range parts {
				out = append(out, p...)
			}
			return out
		}(), nil)
	}
	for i := range lines {
		refused(fmt.Sprintf("line %d is gone", i+1), join(lines[:i], lines[i+1:]))
		refused(fmt.Sprintf("line %d is twice", i+1), join(lines[:i], lines[i:i+1], lines[i:]))
		if i > 0 {
			refused(fmt.Sprintf("line %d is exchanged with the one before", i+1), join(lines[:i-1], lines[i:i+1], lines[i-1:i], lines[i+1:]))
		}
	}
	for _, more := range []string{"\n", " ", "x", string(lines[len(lines)-1]), string(file)} {
		refused(fmt.Sprintf("%.10q follows", more), append(bytes.Clone(file), more...))
	}
	refused("another program's", []byte("PK\x03\x04"))
	refused("one endless line", append([]byte(`{"record":"`), bytes.Repeat([]byte("x"), 5<<20)...))
	refused("an endless act", append(append(bytes.Clone(lines[0]), `{"act":["`...), bytes.Repeat([]byte("x"), outbox.MaxActBytes+outbox.MaxRecords*128+100)...))
	later := bytes.Replace(file, []byte(`"truceline_carry":1`), []byte(`"truceline_carry":2`), 1)
	var needed *record.UpdateError
	if _, err := outbox.OpenCarry(bytes.NewReader(later)); !errors.As(err, &needed) {
		t.Errorf("a later version: %v", err)
	}
}

// sealed puts a right last line under lines, so that only what they say can be wrong.
func sealed(t tb, lines ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	return append(b.Bytes(), end(b.Bytes())...)
}

// TestCarryRefuses: lines that are wrong in themselves, in a file that is whole.
func TestCarryRefuses(t *testing.T) {
	h, items := itemsOfEveryKind(t)
	lines := strings.Split(string(carry(t, h, items...)), "\n")
	first, lines := lines[0], lines[1:len(lines)-2]
	if f, err := outbox.OpenCarry(bytes.NewReader(sealed(t, append([]string{first}, lines...)...))); err != nil || len(f.Counts) != 7 {
		t.Fatalf("the test seals wrongly: %v", err)
	}
	records, checkpoint, act, receipt, refusal := lines[:2], lines[2], lines[4], lines[7], lines[8]
	d := newDesk(t, 5)
	ownBody := d.sign(record.OfficerNamed, &record.Naming{Name: "Amina Example", Officer: record.ID{3}})
	element := func(s outbox.Submission) string {
		return fmt.Sprintf(`{"body":%s,"body_salt":"%s","envelope":%s}`, s.Body, record.Digest(s.BodySalt), s.Envelope)
	}
	one := element(d.report("EXERCISE"))
	stranger := strings.ReplaceAll(checkpoint, origin, "example.org/other")
	for name, line := range map[string][]string{
		"an unknown kind":          {`{"note":"x"}`},
		"no kind":                  {`{}`},
		"no object":                {`[]`},
		"nothing":                  {``},
		"two fields":               {strings.TrimSuffix(lines[9], "}") + `,"note":1}`},
		"white space":              {strings.Replace(lines[9], ":", ": ", 1)},
		"a second header":          {first},
		"evidence of no object":    {`{"evidence":[]}`},
		"evidence of nothing":      {`{"evidence":}`},
		"evidence not canonical":   {`{"evidence":{"b":1,"a":1}}`},
		"evidence that is large":   {`{"evidence":{"a":"` + strings.Repeat("x", outbox.MaxEvidence) + `"}}`},
		"a checkpoint of no text":  {`{"checkpoint":1}`},
		"no checkpoint":            {`{"checkpoint":"x"}`},
		"another escape":           {strings.Replace(checkpoint, "exercise", `\u0065xercise`, 1)},
		"another log's checkpoint": {stranger},
		"another log's receipt":    {strings.ReplaceAll(receipt, origin, "example.org/other")},
		"records out of order":     {records[1], records[0]},
		"a record twice":           {records[0], records[0]},
		"a record beyond the size": {strings.Replace(records[0], `"index":0`, `"index":2`, 1)},
		"an own body in a record": {`{"record":` + strings.Replace(strings.TrimSuffix(element(ownBody), "}"), `"envelope"`, `"enc":"none","envelope"`, 1) +
			`,"index":0,"leaf_salt":"` + strings.Repeat("1", 64) + `","logged_at":1}}`},
		"an own body in an act":         {`{"act":[` + element(ownBody) + `]}`},
		"an act of no records":          {`{"act":[]}`},
		"an act of no objects":          {`{"act":[1]}`},
		"an act that is no array":       {`{"act":` + one + `}`},
		"an act with a comma more":      {`{"act":[` + one + `,]}`},
		"an act with a comma first":     {`{"act":[,` + one + `]}`},
		"a record twice in an act":      {`{"act":[` + one + `,` + one + `]}`},
		"an unknown field in an act":    {`{"act":[` + strings.TrimSuffix(one, "}") + `,"x":1}]}`},
		"no envelope in an act":         {`{"act":[{}]}`},
		"a body without salt":           {`{"act":[` + strings.Replace(one, `"body_salt"`, `"bodysalt"`, 1) + `]}`},
		"a salt without body":           {`{"act":[{"body_salt":"` + strings.Repeat("1", 64) + `",` + strings.SplitAfterN(one, `",`, 3)[2] + `]}`},
		"a refusal in an act":           {`{"act":[{"envelope":` + strings.TrimPrefix(refusal, `{"refusal":`) + `]}`},
		"an act that ends in an escape": {`{"act":[` + one + `,"\]}`},
		"brackets that do not match":    {strings.Replace(act, `}]}`, `}}}`, 1)},
		"a statement as refusal":        {`{"refusal":` + string(d.report("EXERCISE").Envelope) + `}`},
		"a receipt of no place":         {strings.Replace(receipt, `"index":1,`, `"index":-1,`, 1)},
		"a receipt beyond the tree":     {strings.Replace(receipt, `"index":1,`, `"index":2,`, 1)},
		"a proof of another place":      {strings.Replace(receipt, `"index":1,`, `"index":0,`, 1)},
		"a receipt at no time":          {strings.Replace(receipt, `"logged_at":1`, `"logged_at":-1`, 1)},
		"a receipt with an empty proof": {receipt[:strings.Index(receipt, `"proof":`)] + `"proof":""}}`},
		"a receipt of nothing":          {strings.Replace(receipt, `"id":"`, `"id":"00000000000000000000000000000000`, 1)},
	} {
		if f, err := outbox.OpenCarry(bytes.NewReader(sealed(t, append([]string{first}, line...)...))); !errors.Is(err, outbox.ErrAltered) {
			t.Errorf("%s: %v, %v; want ErrAltered", name, f, err)
		}
	}
	for name, line := range map[string]string{
		"no member":    strings.Replace(first, `"VAL"`, `""`, 1),
		"no mission":   strings.Replace(first, `"mission":"01`, `"mission":"00`, 1),
		"no origin":    strings.Replace(first, origin, "/", 1),
		"no size":      strings.Replace(first, `"size":2`, `"size":-2`, 1),
		"no time":      strings.Replace(first, `"made_at":1`, `"made_at":-1`, 1),
		"version zero": strings.Replace(first, `"truceline_carry":1`, `"truceline_carry":0`, 1),
		"more":         strings.Replace(first, `{`, `{"a":1,`, 1),
		"none":         lines[0],
	} {
		if _, err := outbox.OpenCarry(bytes.NewReader(sealed(t, line))); !errors.Is(err, outbox.ErrAltered) || line == first {
			t.Errorf("header, %s: %v; want ErrAltered", name, err)
		}
	}
}

// TestCarryOfALaterVersion: what waits on a newer node passes through an older one, which
// cannot read it.
func TestCarryOfALaterVersion(t *testing.T) {
	d := newDesk(t, 1)
	s := d.report("EXERCISE")
	e, err := record.ParseEnvelope(s.Envelope)
	must(t, err)
	payload := bytes.Replace(e.Payload, []byte(`"kind":"report.filed"`), []byte(`"kind":"hotline.sent"`), 1)
	s.Envelope, err = record.Seal(record.StatementType, payload, d.signer)
	must(t, err)
	act := []outbox.Submission{{Envelope: s.Envelope, Body: s.Body, BodySalt: s.BodySalt}}
	_, items, err := read(carry(t, header(0), outbox.CarryItem{Kind: outbox.CarryAct, Act: act}))
	must(t, err)
	if !reflect.DeepEqual(items[0].Act, act) {
		t.Errorf("read %+v", items)
	}
}

// TestCarryDeepBody: a body may be as deep in an act and in a record as it may be anywhere.
func TestCarryDeepBody(t *testing.T) {
	d, reg := newDesk(t, 1), newRegistry(t, 1)
	pack := []byte(strings.Repeat("[", 14) + "1" + strings.Repeat("]", 14))
	s := d.sign(record.AgreementAdopted, &record.Adoption{Pack: pack, Part: 1, Parts: 1, SHA256: record.Digest{1}, Version: 1})
	items := []outbox.CarryItem{{Kind: outbox.CarryRecord, Record: line(s, reg.admit([]outbox.Submission{s})[0])}, {Kind: outbox.CarryAct, Act: []outbox.Submission{s}}}
	_, got, err := read(carry(t, header(1), items...))
	must(t, err)
	if !reflect.DeepEqual(got, items) {
		t.Errorf("read %+v", got)
	}
}

// TestCarryWriterRefuses: what a reader would refuse is not written, and a file in which
// something was refused is never closed well.
func TestCarryWriterRefuses(t *testing.T) {
	d := newDesk(t, 1)
	own := d.sign(record.OfficerNamed, &record.Naming{Name: "Amina Example", Officer: record.ID{3}})
	_, items := itemsOfEveryKind(t)
	receipt := *items[6].Receipt
	receipt.WitnessedAt, receipt.Witnesses = 5, []string{"a"}
	for name, item := range map[string]outbox.CarryItem{
		"an own body":         {Kind: outbox.CarryAct, Act: []outbox.Submission{own}},
		"nothing":             {},
		"a kind of nothing":   {Kind: outbox.CarryRecord},
		"no kind":             {Evidence: []byte("{}")},
		"two things":          {Kind: outbox.CarryRefusal, Refusal: items[8].Refusal, Evidence: []byte("{}")},
		"another kind":        {Kind: outbox.CarryRecord, Evidence: []byte("{}")},
		"another kind too":    {Kind: outbox.CarryReceipt, Evidence: []byte("{}")},
		"an end":              {Kind: "end", Evidence: []byte(`{"lines":1}`)},
		"a line feed":         {Kind: outbox.CarryEvidence, Evidence: []byte("{}\n")},
		"two lines":           {Kind: outbox.CarryEvidence, Evidence: []byte("{}}\n{\"evidence\":{}")},
		"witnesses":           {Kind: outbox.CarryReceipt, Receipt: &receipt},
		"an act of nothing":   {Kind: outbox.CarryAct, Act: []outbox.Submission{}},
		"a record before one": {Kind: outbox.CarryRecord, Record: items[0].Record},
	} {
		var b bytes.Buffer
		w, err := outbox.NewCarryWriter(&b, header(2))
		must(t, err)
		must(t, w.Add(items[1]))
		if err := w.Add(item); err == nil {
			t.Errorf("%s: it is written", name)
		}
		if err := w.Add(items[4]); err == nil {
			t.Errorf("%s: the next line is written", name)
		}
		if err := w.Close(); err == nil {
			t.Errorf("%s: the file is closed well", name)
		}
		if _, err := outbox.OpenCarry(bytes.NewReader(b.Bytes())); !errors.Is(err, outbox.ErrAltered) {
			t.Errorf("%s: the file opens: %v", name, err)
		}
	}
	if _, err := outbox.NewCarryWriter(io.Discard, outbox.CarryHeader{From: "VAL"}); err == nil {
		t.Error("a header of nothing is written")
	}
	w, err := outbox.NewCarryWriter(io.Discard, header(0))
	must(t, err)
	must(t, w.Close())
	if w.Close() == nil || w.Add(items[4]) == nil {
		t.Error("a closed file takes more")
	}
}

// failing is a stick with so much room.
type failing struct{ room int }

func (f *failing) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errors.New("no room on the stick")
	}
	return len(b), nil
}

func TestCarryWriterTellsThatTheStickIsFull(t *testing.T) {
	h, items := itemsOfEveryKind(t)
	size := len(carry(t, h, items...))
	for _, room := range []int{0, size / 2, size - 1} {
		w, err := outbox.NewCarryWriter(&failing{room}, h)
		for _, item := range items {
			if err == nil {
				err = w.Add(item)
			}
		}
		if err = w.Close(); err == nil || !strings.Contains(err.Error(), "no room") {
			t.Errorf("room for %d of %d bytes: %v", room, size, err)
		}
	}
}

// swap is a file that becomes another once it was read to its end.
type swap struct {
	*bytes.Reader
	next []byte
}

func (s *swap) Seek(offset int64, whence int) (int64, error) {
	if s.Len() == 0 && s.next != nil {
		s.Reader = bytes.NewReader(s.next)
	}
	return s.Reader.Seek(offset, whence)
}

// TestCarryExchangedWhileReading: a file that is another by the time its lines are read is
// noticed, and a stick that is pulled out.
func TestCarryExchangedWhileReading(t *testing.T) {
	h, items := itemsOfEveryKind(t)
	file := carry(t, h, items...)
	for name, next := range map[string][]byte{"another file": carry(t, h, items[1:]...), "half of it": file[:len(file)/2], "none": {}} {
		f, err := outbox.OpenCarry(&swap{bytes.NewReader(file), next})
		must(t, err)
		var last error
		for _, err := range f.Items() {
			last = err
		}
		if !errors.Is(last, outbox.ErrAltered) {
			t.Errorf("%s: %v", name, last)
		}
	}
}
