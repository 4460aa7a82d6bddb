// SPDX-License-Identifier: Apache-2.0

package verifytest

import (
	"truceline/ledger"
	"truceline/record"
)

// Linkage is the body of a linkage.fitted that was learnt from the first records of a log
// with that root. Its one field is of no schema: the formats and the rules know none.
func Linkage(size int64, root record.Digest) *record.Linkage {
	return &record.Linkage{
		Params: record.LinkageParams{
			Ask: 100_000, Common: []string{"boat", "lake"}, Expected: 1500,
			Fields: []record.LinkageField{{Field: "days", Classes: []record.LinkageClass{{Class: "day", Levels: []record.LinkageLevel{
				{Level: "same", M: 912_000_000, U: 140_000_001}, {Level: "one", M: 88_000_000, U: 859_999_999},
			}}}}},
			Link: 450_000, Measures: []string{"hurt"}, Pairs: 12, Prior: -693_147, PriorSame: -4_605_170, Records: 7,
			Shares: []record.LinkageShare{{Code: "shots", Field: "type", Share: 510_000}}, Strong: 900_000,
		},
		Prefix: record.Prefix{Root: root, Size: size}, Reason: "a week more of accounts", Schema: 1,
	}
}

// Root is the root of the log's tree as it stands.
func (l *Log) Root() record.Digest {
	edge := ledger.NewEdge()
	for i := range l.Entries {
		edge.Append(ledger.LeafHash(l.leaf(i)))
	}
	return record.Digest(edge.Root())
}

// Learn logs models that a registry admits, each learnt from the records before it: one
// that is undone, so that the one before is in force again, and one of a schema that
// nobody knows yet. It begins with the opening.
func (l *Log) Learn() {
	m := l.Mission
	l.Append(m.Opening()...)
	l.Append(m.File("clerk", record.AccountFiled, Account(3)), m.File("OMB", record.AccountFiled, Account(5)))
	fit := func(member string, schema int) record.ID {
		b := Linkage(int64(len(l.Entries)), l.Root())
		b.Schema = schema
		f := m.File(member, record.LinkageFitted, b)
		l.Append(f)
		return f.ID()
	}
	fit("clerk", 1)
	l.Append(m.File("watch", record.AccountFiled, Account(4)))
	worse := fit("scribe", 1)
	l.Append(m.File("clerk", record.ActUndone, &record.Reason{Reason: "learnt from too little"}, About(record.RoleAct, worse)))
	fit("scribe", 2)
	l.Append(m.File("book", record.ClockTicked, nil))
}
