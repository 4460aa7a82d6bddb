// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"truceline/acts"
	"truceline/internal/office"
	"truceline/record"
)

// ask is one request.
type ask struct {
	method, target string
	body, mime     string
	header         http.Header // beside those that every request has
	reader         string      // the member whose node signs the question; empty: nobody
	again          bool        // it is asked with the tag of the answer before
}

// known is what addresses are made of: of the histories, and what is in none of them.
type known struct {
	ids      []string            // one record of each kind for each audience, officers, and none
	kinds    map[string][]string // all records, by kind
	size     int64
	words    []string
	sources  []string
	alarms   []string // the files that prove them, in the first history
	officers []string
}

const (
	noneID = "00000000000000000000000000000abc"
	form   = "application/x-www-form-urlencoded"
)

func newKnown(all ...*teller) *known {
	k := &known{size: all[0].f.Registry().Head().Size, kinds: map[string][]string{}, ids: []string{noneID, "x"}}
	for _, s := range all {
		seen := map[string]bool{}
		for _, e := range entriesOf(s.t, s) {
			st := statementOf(s.t, e.Envelope)
			id := st.ID.String()
			k.kinds[string(st.Kind)] = append(k.kinds[string(st.Kind)], id)
			if p := pair(st); !seen[p] && st.Kind != record.ErasureConfirmed { // whose id is another each time
				seen[p] = true
				k.ids = append(k.ids, id)
			}
		}
		k.ids = append(k.ids, s.of("officer NOR desk").String(), s.of("officer fac "+strings.Join(office.Roles, " ")).String())
		k.officers = []string{s.of("officer SUD " + office.RoleDesk).String(), s.of("officer SUD " + office.RoleAdministrator).String()}
	}
	slices.Sort(k.ids)
	k.ids = slices.Compact(k.ids)
	for _, n := range all[0].f.Nodes {
		for _, a := range n.Alarms() {
			k.alarms = append(k.alarms, a.Evidence)
		}
	}
	slices.Sort(k.alarms)
	k.alarms = append(slices.Compact(k.alarms), "none")
	k.words = []string{"shots", "barge", "wagons", "canary", "herald", "nothing-at-all", "M001/2031", "001/2031"}
	k.sources = []string{"EXERCISE spokesperson of NOR", "EXERCISE gazette", canary(record.AudienceMembers, "one"), canary(record.AudienceNamed, "two"), canary(record.AudienceMembers, "two") + more, "EXERCISE one herald", "EXERCISE two herald", "nobody"}
	return k
}

// of are all records of kinds, and some others.
func (k *known) of(kinds ...record.Kind) []string {
	out := some(k.ids, 6)
	for _, kind := range kinds {
		out = append(out, k.kinds[string(kind)]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (k *known) incidents() []string { return k.of(record.IncidentOpened, record.NoticeFiled) }
func (k *known) accounts() []string  { return k.of(record.AccountFiled, record.AccountSealed) }

func gets(targets ...string) (out []ask) {
	for _, t := range targets {
		out = append(out, ask{method: "GET", target: t})
	}
	return out
}

// each puts every value into the place of % in a target.
func each(values []string, targets ...string) (out []ask) {
	for _, t := range targets {
		for _, v := range values {
			out = append(out, ask{method: "GET", target: strings.ReplaceAll(t, "%", url.PathEscape(v))})
		}
	}
	return out
}

// asked puts every value, escaped for a question, into the place of %.
func asked(values []string, targets ...string) (out []ask) {
	for _, t := range targets {
		for _, v := range values {
			out = append(out, ask{method: "GET", target: strings.ReplaceAll(t, "%", url.QueryEscape(v))})
		}
	}
	return out
}

// posts send forms: every value in the place of % in the address and in the fields.
func posts(values []string, target string, forms ...string) (out []ask) {
	if len(forms) == 0 {
		forms = []string{""}
	}
	for _, v := range values {
		for _, f := range forms {
			out = append(out, ask{method: "POST", target: strings.ReplaceAll(target, "%", url.PathEscape(v)), body: strings.ReplaceAll(f, "%", url.QueryEscape(v)), mime: form})
		}
	}
	return out
}

// subjects are what acts on something are tried on.
func (k *known) subjects(on acts.On) []string {
	switch on {
	case acts.OnIncident:
		return some(k.incidents(), 3)
	case acts.OnAccount:
		return some(k.accounts(), 5)
	}
	return some(k.ids, 9)
}

// indexes are places in the log, and beside it.
func (k *known) indexes() (out []string) {
	for i := int64(0); i < k.size; i += 5 {
		out = append(out, fmt.Sprint(i))
	}
	return append(out, fmt.Sprint(k.size-1), fmt.Sprint(k.size), "-1")
}

// some is every n-th, and the last.
func some[T any](list []T, n int) (out []T) {
	for i, x := range list {
		if i%n == 0 || i == len(list)-1 {
			out = append(out, x)
		}
	}
	return out
}

// filters are questions to lists: by words, places, types, days, who says it, pages.
func (k *known) filters(path string) []ask {
	out := gets(path, path+"?lang=ur", path+"?where=ford", path+"?where=hill", path+"?where=weir", path+"?where=nowhere", path+"?what=shots", path+"?what=raid", path+"?who=NOR", path+"?who=SUD", path+"?who=other",
		path+"?since=2031-02-27", path+"?until=2031-02-25", path+"?since=2031-02-23&until=2031-02-24", path+"?since=x", path+"?page=2", path+"?page=0")
	return append(out, append(asked(k.words, path+"?q=%"), asked(k.sources, path+"?who="+url.QueryEscape("by:")+"%")...)...)
}

// pages say, for each pattern that a server answers, what is asked, as desks and machines do. Who adds a page adds
// what is to be asked of it: with ids, words, names and filters of what not everybody reads,
// and such that a wrong answer would show.
var pages = map[string]func(k *known) []ask{
	"GET /{$}":           func(k *known) []ask { return k.filters("/") },
	"GET /incident/{id}": func(k *known) []ask { return each(k.incidents(), "/incident/%") },
	"GET /accounts":      func(k *known) []ask { return k.filters("/accounts") },
	"GET /account/{id}":  func(k *known) []ask { return each(k.accounts(), "/account/%") },
	"GET /record/{id}":   func(k *known) []ask { return append(each(k.ids, "/record/%"), each(k.indexes(), "/record/%")...) },
	"GET /ledger": func(k *known) []ask {
		return gets("/ledger", "/ledger?until=12", "/ledger?until=60", "/ledger?lang=ps")
	},
	"GET /about":              func(*known) []ask { return gets("/about") },
	"GET /public":             func(*known) []ask { return gets("/public", "/public?page=2", "/public?lang=ur") },
	"GET /public/verify":      func(*known) []ask { return gets("/public/verify") },
	"GET /public/verify/save": func(*known) []ask { return gets("/public/verify/save", "/public/verify/save?lang=ur") },
	"GET /public/{id}":        func(k *known) []ask { return each(k.of(record.ReleaseProposed, record.ReleaseMade), "/public/%") },
	"GET /public/{id}/bundle": func(k *known) []ask {
		return each(k.of(record.ReleaseProposed, record.ReleaseMade), "/public/%/bundle")
	},
	"GET /linkage":       func(*known) []ask { return gets("/linkage") },
	"GET /alarms":        func(*known) []ask { return gets("/alarms") },
	"GET /alarms/{name}": func(k *known) []ask { return each(k.alarms, "/alarms/%") },
	"GET /batches":       func(*known) []ask { return gets("/batches") },
	"GET /batch/{id}":    func(k *known) []ask { return each(k.of(record.BatchOpened), "/batch/%") },
	"GET /agreement":     func(*known) []ask { return gets("/agreement", "/agreement?version=1", "/agreement?version=9") },
	"GET /dev/stories":   func(*known) []ask { return gets("/dev/stories") },
	"GET /map/base.json": func(*known) []ask { return gets("/map/base.json") },
	"GET /assets/":       func(*known) []ask { return gets("/assets/none.js") },
	"GET /source/{name}": func(k *known) []ask {
		return append(each(k.sources, "/source/%"), each(k.sources, "/source/%?kind=spokesperson&party=NOR")...)
	},
	"GET /map/places.json": func(k *known) []ask {
		return append(k.filters("/map/places.json"), each(k.incidents(), "/map/places.json?incident=%")...)
	},
	"GET /search": func(k *known) []ask {
		out := append(k.filters("/search"), asked(k.sources, "/search?claimant=%", "/search?carrier=%")...)
		return append(out, gets("/search?element=harm&measure=killed", "/search?stance=claims&group=people", "/search?state=withdrawn", "/search?state=unlinked&state=linked", "/search?state=set_aside", "/search?recorder=NOR", "/search?recorder=fac",
			"/search?language=en", "/search?said_since=2031-02-28", "/search?old=1&q=barge", "/search?old=1&q=wagons", "/search?page=3")...)
	},
	"GET /statistics": func(k *known) []ask {
		return append(k.filters("/statistics"), gets("/statistics?rows=place", "/statistics?rows=month", "/statistics?rows=type", "/statistics?group=people", "/statistics?measure=killed")...)
	},
	"GET /statistics/cell": func(k *known) []ask {
		return append(gets("/statistics/cell", "/statistics/cell?all=1", "/statistics/cell?all=1&where=hill", "/statistics/cell?rows=type&row=shots", "/statistics/cell?rows=type&row=raid", "/statistics/cell?rows=place&row=ford&who=NOR", "/statistics/cell?rows=place&row=hill"),
			asked(k.sources, "/statistics/cell?all=1&kind=spokesperson&element=harm&measure=killed&of=people&by=%")...)
	},
	"GET /statistics.csv": func(k *known) []ask { return k.filters("/statistics.csv") },
	"GET /tally": func(k *known) []ask {
		out := append(k.filters("/tally"), gets("/tally?a=NOR&b=SUD&fact=harm:killed&group=people", "/tally?a=NOR&b=NOR", "/tally?fact=harm:injured")...)
		out = append(out, asked(k.sources, "/tally?a="+url.QueryEscape("by:spokesperson::")+"%")...)
		return append(out, each(some(k.accounts(), 4), "/tally?total_a=%:1")...)
	},
	"GET /tally.csv": func(k *known) []ask {
		return append(k.filters("/tally.csv"), gets("/tally.csv?a=NOR&b=SUD&fact=harm:killed&group=people")...)
	},
	"GET /tally/series": func(k *known) []ask { return k.filters("/tally/series") },
	"GET /tally/total": func(k *known) []ask {
		return append(gets("/tally/total"), each(k.accounts(), "/tally/total?claim=%:1", "/tally/total?everywhere=1&claim=%:1")...)
	},
}

// desks are the addresses of officers: to everybody else all is one refusal.
var desks = map[string]func(k *known) []ask{
	"GET /signin":          func(*known) []ask { return gets("/signin") },
	"GET /signin/{token}":  func(*known) []ask { return gets("/signin/none") },
	"POST /signin/{token}": func(*known) []ask { return posts([]string{"none"}, "/signin/%") },
	"GET /desk":            func(*known) []ask { return gets("/desk", "/desk?done="+noneID) },
	"GET /do/{act}": func(k *known) []ask {
		var out []ask
		for _, a := range acts.All() {
			out = append(out, gets("/do/"+a.Name)...)
			if a.On != acts.OnNothing {
				out = append(out, each(k.subjects(a.On), "/do/"+a.Name+"?"+string(a.On)+"=%&next=/")...)
			}
		}
		return append(out, gets("/do/none")...)
	},
	"POST /do/{act}": func(k *known) []ask {
		var out []ask
		for _, a := range acts.All() {
			f := ""
			if a.On != acts.OnNothing {
				f = string(a.On) + "=%"
			}
			out = append(out, posts(some(k.subjects(a.On), 3), "/do/"+a.Name, f)...)
		}
		return out
	},
	"GET /identities": func(*known) []ask { return gets("/identities") },
	"POST /identities/show": func(k *known) []ask {
		return posts(k.of(record.IdentityFiled, record.IdentityRead), "/identities/show", "reading=%")
	},
	"GET /releases":     func(*known) []ask { return gets("/releases") },
	"GET /release/{id}": func(k *known) []ask { return each(k.of(record.ReleaseProposed, record.ReleaseMade), "/release/%") },
	"GET /release/new": func(k *known) []ask {
		return append(gets("/release/new"), each(some(k.incidents(), 4), "/release/new?incident=%")...)
	},
	"POST /release/new": func(k *known) []ask {
		return posts(some(k.incidents(), 9), "/release/new", "incident=%", "show=%+/label&title=x")
	},
	"GET /incident/{id}/seal":  func(k *known) []ask { return each(k.incidents(), "/incident/%/seal") },
	"POST /incident/{id}/seal": func(k *known) []ask { return posts(some(k.incidents(), 4), "/incident/%/seal", "do=file&claimant=") },
	"GET /lists":               func(*known) []ask { return gets("/lists", "/lists?rename="+noneID) },
	"POST /lists":              func(*known) []ask { return posts([]string{"", "EXERCISE"}, "/lists", "name=%&page=/&query=q%3Dbarge") },
	"POST /lists/rename":       func(*known) []ask { return posts([]string{noneID}, "/lists/rename", "list=%&name=x") },
	"POST /lists/delete":       func(*known) []ask { return posts([]string{noneID}, "/lists/delete", "list=%") },
	"GET /queue": func(k *known) []ask {
		return append(k.filters("/queue"), gets("/queue?aside=1", "/queue?page=2", "/queue?until=2031-04-01")...)
	},
	"GET /queue/{account}": func(k *known) []ask {
		return append(each(k.accounts(), "/queue/%"), asked(k.words, "/queue/"+noneID+"?find=%")...)
	},
	"POST /queue/{account}/link": func(k *known) []ask {
		return posts(some(k.accounts(), 9), "/queue/%/link", "incident=%", "incident="+noneID+"&reason=x")
	},
	"POST /queue/{account}/open": func(k *known) []ask { return posts(some(k.accounts(), 9), "/queue/%/open", "label=") },
	"POST /queue/{account}/aside": func(k *known) []ask {
		return posts(some(k.accounts(), 9), "/queue/%/aside", "reason=")
	},
	"POST /queue/{account}/later":  func(k *known) []ask { return posts(some(k.accounts(), 9), "/queue/%/later", "until=x") },
	"POST /queue/{account}/takeup": func(k *known) []ask { return posts(some(k.accounts(), 9), "/queue/%/takeup", "") },
	"GET /incident/{id}/merge": func(k *known) []ask {
		return append(each(some(k.incidents(), 2), "/incident/%/merge"), each(some(k.ids, 9), "/incident/"+noneID+"/merge?into=%")...)
	},
	"POST /incident/{id}/merge": func(k *known) []ask { return posts(some(k.incidents(), 9), "/incident/%/merge", "into=%") },
	"GET /incident/{id}/split":  func(k *known) []ask { return each(some(k.incidents(), 2), "/incident/%/split") },
	"POST /incident/{id}/split": func(k *known) []ask { return posts(some(k.incidents(), 9), "/incident/%/split", "link=%") },
	"GET /statement/new": func(k *known) []ask {
		return append(gets("/statement/new"), each(some(k.ids, 9), "/statement/new?report=%")...)
	},
	"POST /statement/new": func(k *known) []ask {
		return posts([]string{"EXERCISE of the barge", "EXERCISE of the wagons"}, "/statement/new", "do=file&claimant=%&claimant_kind=spokesperson&quote=%")
	},
	"GET /statement/draft/{id}":  func(k *known) []ask { return each(some(k.ids, 9), "/statement/draft/%") },
	"POST /statement/draft/{id}": func(k *known) []ask { return posts([]string{noneID}, "/statement/draft/%", "do=discard") },
	"GET /account/{id}/amend":    func(k *known) []ask { return each(some(k.accounts(), 3), "/account/%/amend") },
	"POST /account/{id}/amend":   func(k *known) []ask { return posts(some(k.ids, 9), "/account/%/amend", "do=file&claimant=") },
	"POST /statement/keep": func(k *known) []ask {
		return posts([]string{"EXERCISE of the barge"}, "/statement/keep", "claimant=%")
	},
	"POST /statement/similar": func(k *known) []ask {
		return posts([]string{canary(record.AudienceNamed, "one"), canary(record.AudienceMechanism, "two"), "EXERCISE shots from the far bank"}, "/statement/similar", "claimant=%&claimant_kind=spokesperson&quote=%&said_on=2031-02-28&claim.1.element=harm&claim.1.measure=killed&claim.1.group=people&claim.1.stance=claims&claim.1.figure=11",
			"claimant=%&claimant_kind=spokesperson&quote=%&said_on=2031-02-28&claim.1.element=harm&claim.1.measure=killed&claim.1.group=people&claim.1.stance=claims&claim.1.figure=23")
	},
	"GET /copy/{sha256}": func(*known) []ask {
		var out []string
		for _, note := range []string{canary(record.AudienceMembers, "one"), canary(record.AudienceNamed, "two"), "none"} {
			out = append(out, fmt.Sprintf("%x", sha256.Sum256([]byte(note+" noted"))))
		}
		return each(append(out, "x"), "/copy/%")
	},
	"GET /outbox": func(*known) []ask {
		return gets("/outbox", "/outbox?only=waiting", "/outbox?only=refused", "/outbox?only=filed", "/outbox?before=3")
	},
	"GET /outbox/{id}": func(k *known) []ask {
		return each(append(k.of(record.ReleaseAnswered, record.AccountSealed, record.AccountFiled), "09000000000000000000000000000000"), "/outbox/%")
	},
	"GET /outbox/{id}/refusal":           func(k *known) []ask { return each(some(k.ids, 9), "/outbox/%/refusal") },
	"POST /outbox/{id}/aside":            func(k *known) []ask { return posts(some(k.ids, 9), "/outbox/%/aside") },
	"GET /imports":                       func(*known) []ask { return gets("/imports") },
	"POST /imports":                      func(*known) []ask { return posts([]string{""}, "/imports", "") },
	"GET /imports/{id}":                  func(*known) []ask { return gets("/imports/"+noneID, "/imports/x") },
	"POST /imports/{id}/run":             func(*known) []ask { return posts([]string{noneID}, "/imports/%/run") },
	"POST /imports/{id}/cancel":          func(*known) []ask { return posts([]string{noneID}, "/imports/%/cancel") },
	"POST /imports/{id}/delete":          func(*known) []ask { return posts([]string{noneID}, "/imports/%/delete") },
	"GET /imports/{id}/bad-rows.csv":     func(*known) []ask { return gets("/imports/" + noneID + "/bad-rows.csv") },
	"GET /imports/{id}/flagged-rows.csv": func(*known) []ask { return gets("/imports/" + noneID + "/flagged-rows.csv") },
	"GET /officers":                      func(*known) []ask { return gets("/officers") },
	"POST /officers/end":                 func(*known) []ask { return posts([]string{noneID}, "/officers/end", "sign_in=%") },
	"GET /officers/{id}": func(k *known) []ask {
		return append(each(some(k.ids, 9), "/officers/%"), each(k.officers, "/officers/%")...)
	},
	"POST /officers/{id}/end":   func(*known) []ask { return posts([]string{noneID}, "/officers/%/end", "sign_in=%") },
	"POST /officers/{id}/link":  func(*known) []ask { return posts([]string{noneID}, "/officers/%/link") },
	"POST /officers/{id}/leave": func(*known) []ask { return posts([]string{noneID}, "/officers/%/leave") },
	"POST /officers/{id}/erase": func(*known) []ask { return posts([]string{noneID}, "/officers/%/erase") },
	"POST /signout":             func(*known) []ask { return posts([]string{""}, "/signout") },
	"POST /officers/invite":     func(*known) []ask { return posts([]string{""}, "/officers/invite", "name=") },
}

// machines are the addresses that other programs ask, whoever has signed in.
var machines = map[string]func(k *known) []ask{
	"GET /healthz":        func(*known) []ask { return gets("/healthz") },
	"GET /log/checkpoint": func(*known) []ask { return gets("/log/checkpoint") },
	"GET /log/witnessed":  func(*known) []ask { return gets("/log/witnessed") },
	"GET /log/proof/{index}": func(k *known) []ask {
		return append(each(some(k.ids, 3), "/log/proof/%"), each(some(k.indexes(), 5), "/log/proof/%")...)
	},
	"GET /log/record/{id}": func(k *known) []ask {
		return append(each(k.ids, "/log/record/%"), each(k.indexes(), "/log/record/%")...)
	},
	"GET /log/bundle/{id}": func(k *known) []ask {
		return append(each(some(k.ids, 8), "/log/bundle/%"), each(some(k.indexes(), 9), "/log/bundle/%")...)
	},
	"GET /log/consistency/{old}/{new}": func(k *known) []ask {
		return gets(fmt.Sprintf("/log/consistency/40/%d", k.size), "/log/consistency/1/50", "/log/consistency/50/49")
	},
	"GET /log/{path...}": func(k *known) []ask {
		var out []ask
		for _, w := range []int64{20, 60, 90, k.size} {
			out = append(out, gets(fmt.Sprintf("/log/records/000.p/%d", w), fmt.Sprintf("/log/tile/entries/000.p/%d", w), fmt.Sprintf("/log/tile/0/000.p/%d", w))...)
		}
		return append(out, gets("/log/records/000", "/log/tile/1/000", "/log/none")...)
	},
	"GET /peer/status":        func(*known) []ask { return gets("/peer/status") },
	"GET /peer/wait":          func(*known) []ask { return gets("/peer/wait?size=0&witnessed=0", "/peer/wait?size=x") },
	"POST /peer/submit":       handedIn("/peer/submit"),
	"POST /peer/attest":       handedIn("/peer/attest"),
	"POST /peer/cosignatures": func(*known) []ask { return []ask{{method: "POST", target: "/peer/cosignatures", body: "nothing\n"}} },
	"POST /peer/join":         func(*known) []ask { return []ask{{method: "POST", target: "/peer/join", body: "{}"}} },
	"POST /witness/add-checkpoint": func(*known) []ask {
		return []ask{{method: "POST", target: "/witness/add-checkpoint", body: "old 0\n\nnothing"}}
	},
	"GET /witness/{hash}/checkpoint": func(*known) []ask {
		return gets(fmt.Sprintf("/witness/%x/checkpoint", sha256.Sum256([]byte("fleet.invalid/shores"))), "/witness/00/checkpoint")
	},
}

// handedIn hands records in that are no member's, under ids that stand in the log.
func handedIn(target string) func(k *known) []ask {
	return func(k *known) (out []ask) {
		for _, id := range some(k.ids, 6) {
			out = append(out, ask{method: "POST", target: target, body: strangerRecord(id), mime: "application/json"})
		}
		return append(out, ask{method: "POST", target: target, body: "{}", mime: "application/json"}, ask{method: "POST", target: target, body: "x"})
	}
}
