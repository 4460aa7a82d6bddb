// SPDX-License-Identifier: Apache-2.0

package basemap_test

import (
	"bytes"
	"os"
	"testing"
	"fmt"
	"compress/gzip"
	"runtime"
	"time"

	"truceline/agreement"
	"truceline/internal/assets"
	"truceline/internal/basemap"
)

func TestX(t *testing.T) {
	for _, name := range []string{"durand", "lakes"} {
		b, err := os.ReadFile("../../example/" + name + "/agreement.json")
		if err != nil {
			t.Fatal(err)
		}
		f, err := agreement.Load(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		a, err := assets.Atlas()
		if err != nil {
			t.Fatal(err)
		}
		var m0, m1 runtime.MemStats
		runtime.GC(); runtime.ReadMemStats(&m0)
		t0 := time.Now()
		m, err := basemap.New(a, f.Pack)
		if err != nil {
			t.Fatal(err)
		}
		t.Log("new", time.Since(t0)); t0 = time.Now()
		runtime.ReadMemStats(&m1); t.Log("alloc", (m1.TotalAlloc-m0.TotalAlloc)>>10); runtime.GC(); runtime.ReadMemStats(&m1); t.Log("held KB", (int64(m1.HeapAlloc)-int64(m0.HeapAlloc))>>10)
		t0 = time.Now()
		p := m.SVG(m.View(), 760)
		t.Log("svg", time.Since(t0), len(p.Land), len(p.Coast), len(p.Boundary), len(p.Contested), len(p.Lines)); t0 = time.Now()
		g := m.GeoJSON()
		t.Log("geo", time.Since(t0), len(g))
		var z bytes.Buffer
		zw := gzip.NewWriter(&z); zw.Write(g); zw.Close(); t.Log("gz", z.Len())
		os.WriteFile("/tmp/base-"+name+".json", g, 0o644)
		var s bytes.Buffer
		fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" style="background:#dde6ea"><path fill="#f4f2ec" fill-rule="evenodd" d="%s"/><g fill="none" stroke="#888"><path d="%s"/><path stroke="#999" d="%s"/><path stroke="#666" stroke-dasharray="4 4" d="%s"/>`, p.Width, p.Height, p.Width, p.Height, p.Land, p.Coast, p.Boundary, p.Contested)
		for _, l := range p.Lines {
			fmt.Fprintf(&s, `<path stroke="#000" stroke-width="1.5" stroke-dasharray="6 4" d="%s"/>`, l.D)
			for _, a := range l.Anchors {
				fmt.Fprintf(&s, `<circle cx="%f" cy="%f" r="4" fill="red"/><path d="M%f %fl%f %f" stroke="red"/>`, a.X, a.Y, a.X, a.Y, a.NX*20, a.NY*20)
				t.Log(l.Code, a)
			}
		}
		s.WriteString("</g></svg>")
		os.WriteFile("/tmp/base-"+name+".html", s.Bytes(), 0o644)
		zb := bytes.Buffer{}; zw = gzip.NewWriter(&zb); zw.Write(s.Bytes()); zw.Close(); t.Log("svg gz", zb.Len())
	}
}
