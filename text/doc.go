// SPDX-License-Identifier: Apache-2.0

// Package text holds the words of the pages: one catalogue for each language, by
// key, with named placeholders and the plural forms of CLDR.
//
// A catalogue is the files of catalogue/TAG, each a flat JSON object. A value is a text, or an
// object of plural forms chosen by the placeholder n:
//
//	"records.count": {"one": "{n} record", "other": "{n} records"}
//
// English is complete and is what other catalogues are checked against. The pseudo
// language en-XB is made from English at start: its letters carry accents and its
// words run from right to left, so that a page shows at a glance what is not in the
// catalogue and what does not mirror.
//
// Names of parties, places, measures and stances are no words of the pages; they
// come from the agreement.
//
// # Direction
//
// Whatever is put into a message is isolated from it, because a date or an id
// beside right-to-left words is otherwise shown in another order than it has.
package text
