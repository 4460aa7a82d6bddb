// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"testing"

	"truceline/agreement"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// openWith is open with another agreement.
func openWith(tb testing.TB, edit func(p *agreement.Pack)) *door {
	d := &door{TB: tb, Mission: verifytest.NewMission("mechanism"), state: mechanism.New(), at: verifytest.Start}
	edit(d.Pack)
	for _, f := range d.Opening() {
		d.good(f)
	}
	return d
}

// Where the sides agreed on coarse places, nothing sharper comes into a public record but
// with a data set.
func TestPublicPlacesAreCoarse(t *testing.T) {
	d := openWith(t, func(p *agreement.Pack) { p.Coarse = &agreement.Coarse{GridE6: 100_000} })
	d.Epoch, d.EpochKey = record.ID{7}, vault.EpochKey{7}
	told := func(p *record.Point, a *record.Area) *record.Account {
		b := verifytest.Account(1)
		b.Claims[0].Point, b.Claims[0].Area = p, a
		return b
	}
	point := &record.Point{LatE6: -40_850_000, LonE6: -122_450_000, PrecisionM: 5_000_000}
	unit := func(size int64, side string) *record.Area {
		return &record.Area{LatE6: -41_200_000, LonE6: -122_800_000, SizeE6: size, Side: side}
	}
	file := func(b *record.Account, o ...verifytest.Option) verifytest.Filing {
		return d.File("clerk", record.AccountFiled, b, o...)
	}
	d.refused("a position, however vague", mechanism.StateForbids, file(told(point, nil)))
	d.refused("a position with its area", mechanism.StateForbids, file(told(point, &record.Area{LatE6: -40_900_000, LonE6: -122_500_000, SizeE6: 100_000, Side: record.SideOne})))
	d.refused("an area sharper than the grid", mechanism.StateForbids, file(told(nil, unit(50_000, record.SideOne))))
	d.refused("an area beside the grid", mechanism.StateForbids, file(told(nil, unit(300_000, record.SideOne))))
	d.refused("a cell that a line runs through", mechanism.StateForbids, file(told(nil, unit(100_000, record.SideUndetermined))))
	account := d.good(file(told(nil, unit(100_000, record.SideOne))))
	d.good(file(told(nil, unit(400_000, record.SideUndetermined))))
	d.good(file(told(nil, nil)))
	amend := func(b *record.Account) verifytest.Filing {
		return d.File("clerk", record.AccountAmended, b, verifytest.About(record.RoleAccount, account), verifytest.Supersedes(account))
	}
	d.refused("an amendment with a position", mechanism.StateForbids, amend(told(point, nil)))
	d.good(amend(told(nil, unit(400_000, record.SideOne))))
	d.good(file(told(point, nil), verifytest.For(record.AudienceMembers)))
	batch := d.good(d.File("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{1}, Name: "published.csv", Rows: 1}))
	d.good(file(told(point, nil), verifytest.About(record.RoleBatch, batch)))

	d = open(t)
	d.good(file(told(point, nil)))
	d.good(file(told(nil, unit(50_000, record.SideOne))))
}
