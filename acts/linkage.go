// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"fmt"

	"truceline/mechanism"
	"truceline/record"
)

// planFit files the model that was learnt for it, with the officer's reason. To learn is
// dear: what stands against the act is told before the model is asked for.
func planFit(p *planner) error {
	if err := p.refused(p.mayFit()); err != nil || len(p.problems) > 0 {
		return err
	}
	fitted, err := p.Fitted()
	if err != nil {
		return err
	}
	body := *fitted
	body.Reason = p.get("reason")
	if _, err := record.EncodeBody(&body); err != nil {
		return &mechanism.Refusal{Code: mechanism.Malformed, Reason: fmt.Sprintf("the model that was learnt cannot be filed: %v", err)}
	}
	return p.one(Draft{Kind: record.LinkageFitted, Body: &body})
}

// mayFit is nil where the officer's member may file a model and one can be learnt here.
func (w World) mayFit() error {
	if err := w.mayFile(record.LinkageFitted); err != nil {
		return err
	}
	if w.Fitted == nil {
		return refuse("no model is learnt here: do it on a node whose tables hold the accounts")
	}
	return nil
}

func offerFit(o *offer) error { return o.mayFit() }
