// SPDX-License-Identifier: Apache-2.0

package example_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/example"
	"truceline/record"
	"truceline/when"
)

type incidents struct {
	Incidents []struct {
		Ref       string       `json:"ref"`
		Class     record.Class `json:"class"`
		Label     string       `json:"label"`
		Types     []string     `json:"types"`
		When      when.Span    `json:"when"`
		Places    []string     `json:"places"`
		PlaceText string       `json:"place_text"`
	} `json:"incidents"`
	Links []struct {
		Statement string          `json:"statement_id"`
		Ref       string          `json:"ref"`
		Role      record.LinkRole `json:"role"`
		Claims    []string        `json:"claims"`
		Reason    string          `json:"reason"`
	} `json:"links"`
	Unlinked []string `json:"unlinked"`
}

type set struct {
	pack *agreement.Pack
	rows []map[string]string
	inc  incidents
}

func open(t *testing.T, name string) *example.Set {
	t.Helper()
	files, err := example.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func pack(t *testing.T, name string) *agreement.Pack {
	t.Helper()
	f, err := agreement.Load(bytes.NewReader(open(t, name).Agreement))
	if err != nil {
		t.Fatal(err)
	}
	return f.Pack
}

// load reads a set that a desk records.
func load(t *testing.T, name string) *set {
	t.Helper()
	files := open(t, name)
	s := &set{pack: pack(t, name)}
	records, err := csv.NewReader(bytes.NewReader(files.Accounts)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records[1:] {
		row := map[string]string{}
		for i, name := range records[0] {
			row[name] = r[i]
		}
		s.rows = append(s.rows, row)
	}
	dec := json.NewDecoder(bytes.NewReader(files.Incidents))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s.inc); err != nil {
		t.Fatal(err)
	}
	return s
}

// each runs f on every example that a desk records.
func each(t *testing.T, f func(t *testing.T, s *set)) {
	for _, name := range example.Recorded() {
		t.Run(name, func(t *testing.T) { f(t, load(t, name)) })
	}
}

// code is a cell of the file as a code: a code holds no space.
func code(cell string) string { return strings.ReplaceAll(cell, " ", "_") }

func TestOpen(t *testing.T) {
	names := example.Names()
	if !slices.Equal(names, []string{"durand", "lakes", "passes"}) || !slices.Equal(example.Recorded(), names[:2]) || !slices.Equal(example.Told(), names[2:]) {
		t.Fatalf("names %v, of which %v are recorded and %v told", names, example.Recorded(), example.Told())
	}
	for _, name := range names {
		s := open(t, name)
		if len(s.Agreement) == 0 || (len(s.Accounts) == 0) != (len(s.Incidents) == 0) || (len(s.Accounts) == 0) == (len(s.Story) == 0) {
			t.Errorf("%s: it needs an agreement, and either accounts and incidents or a story", name)
		}
	}
	if _, err := example.Open("no-such-example"); err == nil {
		t.Error("an unknown example opened")
	}
	if _, err := example.Open(".."); err == nil {
		t.Error("the parent folder opened")
	}
}

func TestFilesAreCleanText(t *testing.T) {
	for _, name := range example.Names() {
		files := open(t, name)
		for what, b := range map[string][]byte{"accounts": files.Accounts, "agreement": files.Agreement, "incidents": files.Incidents, "story": files.Story, "acts": files.Acts} {
			if len(b) == 0 {
				continue
			}
			if bytes.HasPrefix(b, []byte("\xef\xbb\xbf")) || bytes.Contains(b, []byte("\r")) || !bytes.HasSuffix(b, []byte("\n")) {
				t.Errorf("%s %s: a byte order mark, a carriage return or no line end at the end", name, what)
			}
		}
	}
}

func TestPackSurvivesItsParts(t *testing.T) {
	for _, name := range example.Names() {
		parts, err := pack(t, name).Parts(1)
		if err != nil {
			t.Fatal(name, err)
		}
		for _, p := range parts {
			if _, err := record.EncodeBody(p); err != nil {
				t.Error(name, err)
			}
		}
		if _, err := agreement.Merge(parts); err != nil {
			t.Error(name, err)
		}
	}
}

func TestPlaceTextsResolve(t *testing.T) {
	each(t, func(t *testing.T, s *set) {
		known := map[string]bool{"": true}
		for _, p := range s.pack.Places {
			known[p.Name["en"]] = true
		}
		for _, p := range s.pack.PlaceStrings {
			known[p.Text] = true
		}
		for _, r := range s.rows {
			if !known[r["place_text"]] {
				t.Errorf("%s: place %q is neither a place string nor a place's name", r["claim_id"], r["place_text"])
			}
		}
	})
}

func TestCodesAreInThePack(t *testing.T) {
	each(t, func(t *testing.T, s *set) {
		codes := map[string][]string{}
		for _, e := range record.Elements {
			codes["element"] = append(codes["element"], string(e))
		}
		for _, x := range s.pack.Measures {
			codes["measure"] = append(codes["measure"], x.Code)
		}
		for _, x := range s.pack.Groups {
			codes["group"] = append(codes["group"], x.Code)
		}
		for _, x := range s.pack.Subsets {
			codes["subset"] = append(codes["subset"], x.Code)
		}
		for _, x := range s.pack.Stances {
			codes["stance"] = append(codes["stance"], x.Code)
		}
		for _, x := range s.pack.ClaimantKinds {
			codes["claimant_kind"] = append(codes["claimant_kind"], x.Code)
		}
		for _, x := range s.pack.Parties {
			codes["speaks_for"] = append(codes["speaks_for"], x.Code)
		}
		optional := []string{"measure", "group", "subset", "speaks_for"}
		used := map[string]map[string]bool{}
		for _, r := range s.rows {
			for column, all := range codes {
				c := code(r[column])
				if c == "" && slices.Contains(optional, column) {
					continue
				}
				if !slices.Contains(all, c) {
					t.Errorf("%s: %s %q is not in the pack", r["claim_id"], column, r[column])
				}
				if used[column] == nil {
					used[column] = map[string]bool{}
				}
				used[column][c] = true
			}
		}
		for column, all := range codes {
			for _, c := range all {
				if !used[column][c] && column != "element" {
					t.Errorf("%s %s is in the pack and no claim uses it", column, c)
				}
			}
		}
	})
}

func figure(t *testing.T, s string) *int64 {
	if s == "" {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return &n
}

// accounts maps the rows to the bodies that an import would file.
func accounts(t *testing.T, s *set) map[string]*record.Account {
	places := map[string][]string{}
	for _, p := range s.pack.Places {
		places[p.Name["en"]] = []string{p.Code}
	}
	for _, p := range s.pack.PlaceStrings {
		places[p.Text] = p.Places
	}
	out := map[string]*record.Account{}
	for _, r := range s.rows {
		a := out[r["statement_id"]]
		if a == nil {
			a = &record.Account{
				Carrier:  r["carrier"],
				Claimant: record.Claimant{Kind: r["claimant_kind"], Name: r["claimant"], Party: r["speaks_for"]},
				External: r["statement_id"],
				SaidOn:   when.Date(r["said_on"]),
			}
			if r["origin"] != "" {
				a.Origins = strings.Split(r["origin"], "; ")
			}
			out[r["statement_id"]] = a
		}
		if a.Claimant.Name != r["claimant"] || a.Claimant.Party != r["speaks_for"] || a.Claimant.Kind != r["claimant_kind"] || a.Carrier != r["carrier"] || string(a.SaidOn) != r["said_on"] {
			t.Errorf("%s: claimant, carrier or day differ within statement %s", r["claim_id"], r["statement_id"])
		}
		a.Claims = append(a.Claims, record.Claim{
			Bound: r["bound"], Derived: r["derived"] == "yes", Element: record.Element(r["element"]), External: r["claim_id"],
			FirstHand: r["first_hand"], Group: code(r["group"]), High: figure(t, r["high"]), Low: figure(t, r["low"]),
			Measure: code(r["measure"]), N: len(a.Claims) + 1, Note: r["note"], PlaceText: r["place_text"], Places: places[r["place_text"]],
			Scope: record.Scope(r["scope"]), Stance: code(r["stance"]), Subset: code(r["subset"]),
			When:  when.Span{Start: when.Date(r["event_start"]), End: when.Date(r["event_end"]), Note: r["time_note"]},
			Words: r["words"],
		})
	}
	return out
}

func TestAccountsAreValid(t *testing.T) {
	each(t, func(t *testing.T, s *set) {
		for id, a := range accounts(t, s) {
			if _, err := record.EncodeBody(a); err != nil {
				t.Errorf("%s: %v", id, err)
			}
		}
		for _, r := range s.rows {
			report := record.Report{Title: r["source_title"], URL: r["source_url"]}
			if err := report.Validate(); err != nil {
				t.Errorf("%s: %v", r["claim_id"], err)
			}
		}
	})
}

func TestIncidentsAndLinks(t *testing.T) {
	each(t, func(t *testing.T, s *set) {
		all := accounts(t, s)
		class := map[string]record.Class{}
		for _, i := range s.inc.Incidents {
			if class[i.Ref] != "" {
				t.Errorf("%s is defined twice", i.Ref)
			}
			class[i.Ref] = i.Class
			o := record.Opening{Class: i.Class, External: i.Ref, Label: i.Label, PlaceText: i.PlaceText, Places: i.Places, Types: i.Types, When: i.When}
			if err := o.Validate(); err != nil {
				t.Errorf("%s: %v", i.Ref, err)
			}
			for _, c := range i.Places {
				if !slices.ContainsFunc(s.pack.Places, func(p agreement.Place) bool { return p.Code == c }) {
					t.Errorf("%s: %s is not a place", i.Ref, c)
				}
			}
			for _, c := range i.Types {
				if !slices.ContainsFunc(s.pack.IncidentTypes, func(x agreement.Term) bool { return x.Code == c }) {
					t.Errorf("%s: %s is not an incident type", i.Ref, c)
				}
			}
		}
		refs := map[string][]string{} // statement and ref -> claims, as the file groups them
		for _, r := range s.rows {
			if string(class[r["ref"]]) != r["ref_kind"] {
				t.Errorf("%s: %s is not defined as %s", r["claim_id"], r["ref"], r["ref_kind"])
			}
			key := r["statement_id"] + " " + r["ref"]
			refs[key] = append(refs[key], r["claim_id"])
		}
		linked := map[string]bool{}
		for _, l := range s.inc.Links {
			key := l.Statement + " " + l.Ref
			a := all[l.Statement]
			if a == nil || refs[key] == nil || linked[key] || slices.Contains(s.inc.Unlinked, l.Statement) {
				t.Errorf("link %s: not a pair of the accounts, or given twice, or left unlinked", key)
				continue
			}
			linked[key], linked[l.Ref] = true, true
			var numbers []int
			for _, c := range a.Claims {
				if slices.Contains(l.Claims, c.External) {
					numbers = append(numbers, c.N)
				}
			}
			if len(l.Claims) != 0 && !slices.Equal(l.Claims, refs[key]) || len(l.Claims) == 0 && len(refs[key]) != len(a.Claims) {
				t.Errorf("link %s: claims %v, want %v", key, l.Claims, refs[key])
			}
			body := record.Link{Claims: numbers, Reason: l.Reason, Role: l.Role}
			if err := body.Validate(); err != nil {
				t.Errorf("link %s: %v", key, err)
			}
			if (l.Role == record.LinkAggregate) != (class[l.Ref] == record.ClassAggregate) {
				t.Errorf("link %s: role %s to a %s", key, l.Role, class[l.Ref])
			}
		}
		for key := range refs {
			statement, _, _ := strings.Cut(key, " ")
			if !linked[key] && !slices.Contains(s.inc.Unlinked, statement) {
				t.Errorf("%s is neither linked nor left unlinked", key)
			}
		}
		for ref := range class {
			if !linked[ref] {
				t.Errorf("%s has no account", ref)
			}
		}
		for _, id := range s.inc.Unlinked {
			if all[id] == nil {
				t.Errorf("unlinked %s is not a statement", id)
			}
		}
	})
}

// The sizes that README.md tells.
func TestCounts(t *testing.T) {
	want := map[string][5]int{"durand": {524, 186, 50, 10, 10}, "lakes": {35, 12, 4, 1, 1}}
	each(t, func(t *testing.T, s *set) {
		moments := 0
		for _, i := range s.inc.Incidents {
			if i.Class == record.ClassIncident {
				moments++
			}
		}
		got := [5]int{len(s.rows), len(accounts(t, s)), moments, len(s.inc.Incidents) - moments, len(s.inc.Unlinked)}
		_, name, _ := strings.Cut(t.Name(), "/")
		if got != want[name] {
			t.Errorf("claims, statements, incidents, others, unlinked = %v, want %v", got, want[name])
		}
	})
}
