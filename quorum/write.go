// SPDX-License-Identifier: Apache-2.0

package quorum

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// shownSets is how many sets of a kind Write shows.
const shownSets = 20

// Write prints the report for people, in English.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	if len(r.Witnesses) > 0 && r.Smallest > 0 {
		fmt.Fprintf(&b, "Witnesses that count: %d (%s)\n", len(r.Witnesses), strings.Join(r.Witnesses, ", "))
		fmt.Fprintf(&b, "Smallest quorum: %d\n\n", r.Smallest)
		fmt.Fprintf(&b, "Different records for different people\n")
		fmt.Fprintf(&b, "  Any two quorums share at least %s.\n", witnesses(r.Shared))
		switch {
		case r.Faults < 0:
			fmt.Fprintf(&b, "  The log can show two records without the help of any witness.\n")
		default:
			fmt.Fprintf(&b, "  The policy withstands %s (f = %d), whoever they are.\n", dishonest(r.Faults), r.Faults)
			fmt.Fprintf(&b, "  The log can show two records only together with all witnesses of one of these sets:\n")
			r.Split.write(&b)
		}
		fmt.Fprintf(&b, "\nHolding up\n  New heads stay unwitnessed while all witnesses of one of these sets are silent:\n")
		r.Stall.write(&b)
		fmt.Fprintf(&b, "\nThe arithmetic is quorum intersection: an honest witness cosigns one of two diverging heads.\n")
		fmt.Fprintf(&b, "(Malkhi and Reiter, Byzantine Quorum Systems, 1998. For k of n: f = 2k-n-1.)\n")
	}
	for i, f := range r.Findings {
		if i == 0 && b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s\n", f.Level, f.Text)
	}
	if len(r.Findings) == 0 {
		fmt.Fprintf(&b, "\nNothing to remark.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s Sets) write(b *strings.Builder) {
	if s.Sets == nil {
		count := fmt.Sprint(s.Count)
		if s.Count == math.MaxUint64 {
			count = "more than 18 million million million"
		}
		fmt.Fprintf(b, "    %s sets; more than %d are not computed one by one\n", count, MaxSets)
		return
	}
	for i, set := range s.Sets {
		if i == shownSets {
			fmt.Fprintf(b, "    and %d more\n", len(s.Sets)-i)
			return
		}
		fmt.Fprintf(b, "    %s\n", strings.Join(set, ", "))
	}
}

func witnesses(n int) string {
	switch n {
	case 0:
		return "no witness"
	case 1:
		return "1 witness"
	}
	return fmt.Sprintf("%d witnesses", n)
}

func dishonest(n int) string {
	switch n {
	case 0:
		return "no dishonest witness"
	case 1:
		return "1 dishonest witness"
	}
	return fmt.Sprintf("%d dishonest witnesses", n)
}
