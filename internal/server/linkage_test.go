// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"truceline/acts"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// The comparison is learnt again on its page, weighs the queue, and is taken back; then
// the one before it is in force.
func TestLearningOnThePage(t *testing.T) {
	w := open(t)
	ctx := context.Background()
	inForce := func() projection.Fitted {
		t.Helper()
		f, _, err := w.node.Projection.LinkageInForce(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	before := inForce()
	ops, reader := w.signIn(acts.Operations), w.signIn("reader")
	const at = "/linkage"
	if _, _, ok := reader.open(at).says(200, "How accounts are compared").form("/do/linkage.fit"); ok {
		t.Error("a reader is offered the act")
	}
	ops.open("/desk").says(200, "How accounts are compared")
	ops.open(at).send("/do/linkage.fit", "reason", " ").says(422, "Reason is needed.")
	p := ops.open(at).send("/do/linkage.fit", "reason", "more accounts than last week").says(200, "more accounts than last week", "in force")
	learnt := inForce()
	if learnt.ID == before.ID || learnt.Reason != "more accounts than last week" || p.at != at+"?done="+learnt.ID.String() {
		t.Fatalf("in force is %s, before it %s; led to %s", learnt.ID, before.ID, p.at)
	}
	(&session{world: w}).open(at).says(200, "more accounts than last week")

	// The queue is weighed by it, and links as before.
	in := w.known()
	account := w.tell("First speaker", record.Claim{Element: record.Event, Words: "boats met", When: in.When, Places: in.Places})
	undated := w.tell("Second speaker", record.Claim{Element: record.Event, Words: "boats met", When: when.Span{}, Places: in.Places})
	p = ops.open("/queue/"+account.String()).says(200, "Ordered and weighed by what was learnt from this record", "Before comparing", "All together", "How the simple rule sees it")
	if !strings.Contains(p.html, `<details class="fall-more"`) || strings.Contains(p.html, "checked ") {
		t.Error("the rule is not folded away, or something is ticked")
	}
	ops.open("/queue/"+undated.String()).says(200, "The account gives no day, so it is not weighed")
	p.send("/link", "incident", in.ID.String()).says(200, "Linked the account of First speaker to Incident "+in.Number)
	if l := w.linksOf(account); len(l) != 1 || l[0].Reason != "Same day, same place." {
		t.Errorf("links %+v", l)
	}

	// Taken back.
	to := "/do/act.undo?" + url.Values{"record": {learnt.ID.String()}, "next": {at}}.Encode()
	if !strings.Contains(ops.open(at).html, `class="undo"`) {
		t.Error("no way back is offered")
	}
	ops.open(to).send("/do/act.undo", "reason", "learnt too early").says(200, "undone by #")
	if f := inForce(); f.ID != before.ID {
		t.Errorf("in force is %s, want %s", f.ID, before.ID)
	}
}
