// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/acts"
	mission "truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/outbox"
	"truceline/internal/projection"
	"truceline/internal/web"
	"truceline/linkage"
	"truceline/mechanism"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
	"truceline/suggest"
	"truceline/text"
)

// codes are the groups of keys whose last part is a code: of the format, of the
// matrix, or of this package.
func codes() map[string][]string {
	en, _ := text.All().Exact("en")
	list := func(s ...string) []string { return s }
	out := map[string][]string{
		"cell":             list("claimed", "zero", "denied", "denies", "silent", "not_coded", "implied"),
		"incident_state":   list("alleged", "open", "merged", "retracted"),
		"account_state":    list("recorded", "amended", "withdrawn"),
		"first_hand":       list("yes", "no", "unknown"),
		"section":          list("incident", "agreement", "aggregate"),
		"legend":           list("exact", "at_least", "at_most", "range", "about", "series", "zero", "denied", "silent", "not_coded"),
		"subject_role":     list("report", "account", "incident", "into", "batch", "link", "member", "act", "identity", "request"),
		"identity_role":    record.IdentityRoles,
		"identity_request": list(mission.RequestOpen, mission.RequestReleased, mission.RequestRefused, mission.RequestAnswered),
		"refusal":          list("other"),
		"unit":             list("people", "objects", "places", "hours", "percent", "none"),
		"officer_role":     office.Roles, "officer_role_help": office.Roles,
		"batch_state":        list("open", "closed", "withdrawn"),
		"officer_state":      list(string(office.Invited), string(office.Active), string(office.Left)),
		"ended_by":           list(string(office.ByOfficer), string(office.ByAdministrator), string(office.ByExpiry)),
		"officers.done":      list("ended", "left", "erased"),
		"link_role":          list("about", "part_of", "aggregate_over"),
		"statistics.overlap": list("type", "place", "claimant"),
		"source.as":          list("claimant", "carrier", "origin"),
		"agreement.effect":   list("asserts", "denies", "none"),
		"agreement.covers":   list("event", "civilian_harm", "initiation", "row"),
		"agreement.unit":     list("people", "objects", "places", "hours", "percent", "none"),
		"audience":           list("public", "members", "here"),
		"range_why":          list("running_total"),
		"filing_state":       list(mechanism.Invited, mechanism.Sealed, mechanism.Declined, mechanism.Silent, mechanism.Late, mechanism.Vouched),
		"readable":           list(record.AudiencePublic, record.AudienceMembers, record.AudienceMechanism, record.AudienceNamed),
		"filing_opening":     list(mechanism.Unopened, mechanism.Opened, mechanism.NotOpened, mechanism.OpenedByEscrow),
		"reason": list("denied", "disjoint", "each_names_other", "other_named", "overlap", "open_end", "estimate", "no_number", "later_total",
			"same_named", "both_none", "not_excluded", "words_only", "one_party", "one_claimant", "within_column", "derived", "implied", "several"),
	}
	for criterion, levels := range suggest.Levels {
		out["criterion"] = append(out["criterion"], string(criterion))
		for _, l := range levels {
			if l != suggest.Unknown { // those stand together, by their names alone
				out["why."+string(criterion)] = append(out["why."+string(criterion)], string(l))
			}
		}
	}
	for _, b := range []linkage.Band{linkage.Strong, linkage.Ask, linkage.Leave, "far"} {
		out["band"] = append(out["band"], string(b), string(b)+".help")
	}
	for _, f := range linkage.Levels([]string{"m"}) {
		field := string(f.Field)
		if f.Field.Measure() != "" {
			field = "count"
		} else {
			out["weigh.field"] = append(out["weigh.field"], field)
		}
		for _, c := range f.Classes {
			if f.Field != linkage.FieldPlace || c.Class == "names" { // of pairs the precision is said
				out["kind_of."+field] = append(out["kind_of."+field], strings.ReplaceAll(c.Class, " ", "_"))
			}
			for _, l := range c.Levels {
				key := strings.ReplaceAll(string(l), "/", "_")
				if special := c.Class + "." + key; en.Has("met." + field + "." + special) {
					key = special
				}
				out["met."+field] = append(out["met."+field], key)
			}
		}
	}
	out["match.time"] = list(string(suggest.SameDays), string(suggest.SameStart), string(suggest.DaysOverlap), string(suggest.ToldAfter))
	out["match.distance"] = list(string(suggest.SamePlace), string(suggest.RingsMeet))
	out["match.type"] = list(string(suggest.SameType), string(suggest.AlikeType))
	out["match.figures"] = list(string(suggest.FiguresMeet), string(suggest.FiguresSome))
	out["match.words"] = list(string(suggest.WordsCommon))
	for _, p := range projection.Parts {
		out["queue_part"] = append(out["queue_part"], string(p))
		out["queue_none"] = append(out["queue_none"], string(p))
	}
	for _, o := range projection.Orders {
		out["queue_order"] = append(out["queue_order"], string(o))
	}
	for _, c := range mechanism.Codes {
		out["refusal"] = append(out["refusal"], string(c))
	}
	fields := slices.Clone(acts.ClaimFields)
	for _, a := range acts.All() {
		if a.Job {
			out["act"] = append(out["act"], a.Name)
		} else if !a.Local || a.Name == "account.later" {
			out["act"] = append(out["act"], a.Name, a.Name+".help")
			fields = append(fields, a.Fields...)
		}
	}
	for _, f := range fields {
		out["field"] = append(out["field"], f.Name)
	}
	for _, st := range projection.AccountStates {
		out["search_state"] = append(out["search_state"], string(st))
	}
	for _, d := range statistics.Dimensions {
		out["statistics.by"] = append(out["statistics.by"], string(d))
	}
	for _, r := range statistics.Reasons {
		out["statistics.why"] = append(out["statistics.why"], string(r))
	}
	for _, g := range reconcile.Gaps {
		out["tally.gap"] = append(out["tally.gap"], string(g))
	}
	for _, k := range mission.AlarmKinds {
		out["alarm_kind"], out["alarm_means"] = append(out["alarm_kind"], string(k)), append(out["alarm_means"], string(k))
	}
	out["alarm_proves"] = list("two_histories", "logged_twice", "false_time", "revoked_key", "broken_rule", "withheld", "far_off_clock")
	for _, h := range web.Holds {
		out["hold"] = append(out["hold"], string(h))
	}
	for _, s := range append(slices.Clone(outbox.States), "witnessed") {
		out["box_state"], out["box_help"] = append(out["box_state"], string(s)), append(out["box_help"], string(s))
	}
	out["box_filter"] = list("waiting", "refused", "filed")
	for _, r := range record.CosignerRoles {
		if r != record.OutsideCosigner { // stands under the witnesses, by its key's name
			out["cosigner"], out["cosigner_says"] = append(out["cosigner"], string(r)), append(out["cosigner_says"], string(r))
		}
	}
	out["tally.why"] = list("equal", "differ", "differ_apart", "none", "apart")
	for _, e := range record.Elements {
		out["element"] = append(out["element"], string(e))
	}
	for _, s := range record.Scopes {
		out["scope"] = append(out["scope"], string(s))
	}
	for _, c := range record.Classes {
		out["class"] = append(out["class"], string(c))
	}
	for _, k := range record.Kinds() {
		out["record_kind"] = append(out["record_kind"], string(k))
	}
	for _, r := range record.MemberRoles {
		out["member_role"] = append(out["member_role"], string(r))
	}
	for _, s := range reconcile.States {
		out["row_state"] = append(out["row_state"], string(s))
		out["legend.row"] = append(out["legend.row"], string(s))
	}
	return out
}

// used are the keys that pages ask for.
func used(t *testing.T) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	for group, list := range codes() {
		for _, c := range list {
			keys[group+"."+c] = true
		}
	}
	literal := regexp.MustCompile(`"([a-z_0-9]+(?:\.[a-z_0-9]+)+)"|\.(?:T|say)\("([a-z_]+)"`)
	for _, pattern := range []string{"*.templ", "*.go", "../../text/text.go", "../../acts/*.go", "../server/reprint.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_templ.go") || strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range literal.FindAllStringSubmatch(string(b), -1) {
				key := m[1] + m[2]
				if _, act := acts.Find(key); act {
					continue // names an act; its texts stand under keys of their own
				}
				if !slices.Contains([]string{".css", ".mjs", ".svg"}, filepath.Ext(key)) && regexp.MustCompile(`[a-z]`).MatchString(key) {
					keys[key] = true
				}
			}
		}
	}
	return keys
}

func TestCatalogueAndPagesMatch(t *testing.T) {
	en, _ := text.All().Exact("en")
	keys := used(t)
	for key := range keys {
		if !en.Has(key) {
			t.Errorf("key %s is used and not in the catalogue", key)
		}
	}
	for _, key := range en.Keys() {
		if !keys[key] {
			t.Errorf("key %s is in the catalogue and not used", key)
		}
	}
}

// TestTemplatesHoldNoWords finds words between tags of a template.
func TestTemplatesHoldNoWords(t *testing.T) {
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) == 0 {
		t.Fatal("no templates", err)
	}
	between := regexp.MustCompile(`>([^<>{}@]*[A-Za-z][^<>{}@]*)</`)
	attribute := regexp.MustCompile(`\s(title|alt|aria-label|label)="[^"]*[A-Za-z]`)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			if m := between.FindStringSubmatch(line); m != nil && !strings.Contains(line, "<code") {
				t.Errorf("%s:%d: %q", f, i+1, m[1])
			}
			if m := attribute.FindString(line); m != "" {
				t.Errorf("%s:%d:%s", f, i+1, m)
			}
		}
	}
}
