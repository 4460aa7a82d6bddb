// SPDX-License-Identifier: Apache-2.0

// Turns the drawn map of a page into one that moves. The page is complete without
// it: the server draws an SVG, and wherever something is missing here (WebGL 2, the
// engine, the data) that drawing stays.
//
//   <figure data-map data-geojson="/map/base.json" data-places="/map/places.json"
//     data-open="Move the map" data-label="Map" data-zoom-in="Closer" data-zoom-out="Farther"
//     data-attribution="Natural Earth (public domain)" data-notice="Lines are approximate ...">
//     <svg ...></svg>
//   </figure>
//
// All words come from the page. Optional: data-view (west south east north, in
// degrees: what is shown first) and data-only (codes of places; others are left out).
//
// The engine is large. It is fetched by itself only on a wide screen, once the map is
// in sight and the page is quiet; elsewhere when the reader presses the button.
// Labels are HTML beside the drawing, because the engine cannot shape all letters of
// Pashto and Urdu.

const wide = matchMedia('(min-width: 60rem)');
const dark = matchMedia('(prefers-color-scheme: dark)');
const sparing = () => navigator.connection?.saveData || matchMedia('(prefers-reduced-data: reduce)').matches;
const earth = 6371008.8; // metres
const patience = 30_000; // milliseconds until a map that does not come is given up

for (const figure of document.querySelectorAll('figure[data-map]')) offer(figure);

function offer(figure) {
  const svg = figure.querySelector('svg');
  if (!svg || !document.createElement('canvas').getContext('webgl2')) return;
  const button = make('button', 'map-open', figure.dataset.open);
  button.type = 'button';
  button.addEventListener('click', () => open(figure, svg, button, true));
  svg.after(button);
  if (!wide.matches || sparing()) return;
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((e) => e.isIntersecting)) return;
    seen.disconnect();
    const idle = window.requestIdleCallback ?? ((f) => setTimeout(f, 200));
    const start = () => idle(() => open(figure, svg, button, false), { timeout: 2000 });
    if (document.readyState === 'complete') start();
    else addEventListener('load', start, { once: true });
  });
  seen.observe(figure);
}

async function open(figure, svg, button, focus) {
  if (button.disabled) return;
  button.disabled = true;
  // The drawing keeps its place, so that nothing jumps, and is what gets printed.
  const frame = make('div', 'map-frame');
  const stage = make('div', 'map-stage');
  const host = make('div', 'map-host');
  host.dir = 'ltr'; // maps do not mirror
  svg.replaceWith(frame);
  frame.append(stage);
  stage.append(svg, host);
  let map;
  const undo = () => {
    map?.remove();
    frame.replaceWith(svg);
    delete figure.dataset.live;
  };
  try {
    const [engine, base, places] = await Promise.all([
      load(), json(figure.dataset.geojson), figure.dataset.places ? json(figure.dataset.places) : { places: [], lines: [] },
    ]);
    map = await draw(engine, figure, host, base, places);
    map.on('webglcontextlost', undo);
    const note = [figure.dataset.attribution, figure.dataset.notice].filter(Boolean).join(' · ');
    if (note) frame.append(make('p', 'map-note', note));
    figure.dataset.live = '';
    button.remove();
    if (focus) map.getCanvas().focus({ preventScroll: true });
  } catch (error) {
    undo();
    button.remove();
    figure.dataset.failed = String(error?.message ?? error);
  }
}

async function load() {
  const here = (name) => new URL(name, import.meta.url).href;
  const style = make('link');
  style.rel = 'stylesheet';
  style.href = here('./maplibre-gl.css');
  const styled = new Promise((done, fail) => {
    style.addEventListener('load', done);
    style.addEventListener('error', () => fail(new Error('the style of the map did not load')));
  });
  document.head.prepend(style); // before the page's own, which has the last word
  const [engine] = await Promise.all([import('./maplibre-gl.mjs'), styled]);
  engine.setWorkerUrl(here('./maplibre-gl-worker.mjs'));
  return engine;
}

async function json(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

function draw(engine, figure, host, base, data) {
  const words = figure.dataset;
  const only = words.only === undefined ? null : new Set(words.only.split(/\s+/));
  const places = data.places.filter((p) => Number.isInteger(p.lat_e6) && (!only || only.has(p.code)));
  const view = words.view ? words.view.split(/[\s,]+/).map(Number) : base.view;
  const map = new engine.Map({
    container: host,
    style: style(base, places),
    bounds: [view.slice(0, 2), view.slice(2)],
    maxBounds: [base.bbox.slice(0, 2), base.bbox.slice(2)],
    maxZoom: 11, // the lines are no more exact than that
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    fadeDuration: 0,
    locale: { 'Map.Title': words.label, 'NavigationControl.ZoomIn': words.zoomIn, 'NavigationControl.ZoomOut': words.zoomOut },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  // The wheel moves the page until the reader turns to the map.
  map.scrollZoom.disable();
  map.getCanvas().addEventListener('focus', () => map.scrollZoom.enable());
  map.getCanvas().addEventListener('blur', () => map.scrollZoom.disable());
  map.addControl(new engine.NavigationControl({ showCompass: false }), 'top-right');
  return new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error('the map did not come in time')), patience);
    map.once('error', (e) => fail(e.error));
    map.once('load', () => {
      clearTimeout(late);
      colour(map, figure);
      dark.addEventListener('change', () => colour(map, figure));
      const lines = lineTags(engine, map, base, data.lines ?? []);
      const tags = placeTags(engine, map, places);
      const tidy = () => {
        const signs = places.map((p) => map.project([p.lon_e6 / 1e6, p.lat_e6 / 1e6]));
        for (const line of lines) settle(map, line, signs);
        untangle(tags, lines.flatMap((l) => l.labels), host);
      };
      map.on('moveend', tidy);
      map.on('resize', tidy);
      document.fonts?.ready.then(tidy);
      tidy();
      follow(map);
      map.once('idle', () => done(map));
    });
  });
}

// The style has no fonts and no pictures: words are HTML. Colours follow in colour().
function style(base, places) {
  const kind = (k) => ['==', ['get', 'kind'], k];
  const rings = { type: 'FeatureCollection', features: places.filter((p) => p.precision_m > 0).map(ring) };
  const line = (id, source, filter, paint) => ({ id, type: 'line', source, filter, layout: { 'line-join': 'round' }, paint });
  return {
    version: 8,
    sources: { base: { type: 'geojson', data: base, tolerance: 0.2 }, rings: { type: 'geojson', data: rings, tolerance: 0 } },
    layers: [
      { id: 'sea', type: 'background' },
      { id: 'land', type: 'fill', source: 'base', filter: kind('land'), paint: { 'fill-antialias': false } },
      line('coast', 'base', kind('coast'), { 'line-width': 1 }),
      line('boundary', 'base', kind('boundary'), { 'line-width': 0.75 }),
      line('contested', 'base', kind('contested'), { 'line-width': 1, 'line-dasharray': [4, 4] }),
      line('line', 'base', kind('line'), { 'line-width': 2, 'line-dasharray': [3, 2] }),
      { id: 'ring', type: 'fill', source: 'rings', paint: { 'fill-opacity': 0.06 } },
      line('ring-edge', 'rings', true, { 'line-width': 1.25, 'line-opacity': 0.8 }),
    ],
  };
}

// ring is the circle of true radius around a place, on the globe.
function ring(place) {
  const rad = Math.PI / 180;
  const lat = (place.lat_e6 / 1e6) * rad;
  const lon = (place.lon_e6 / 1e6) * rad;
  const r = place.precision_m / earth;
  const points = [];
  for (let i = 0; i <= 72; i++) {
    const turn = (i % 72) * 5 * rad;
    const to = Math.asin(Math.sin(lat) * Math.cos(r) + Math.cos(lat) * Math.sin(r) * Math.cos(turn));
    const across = lon + Math.atan2(Math.sin(turn) * Math.sin(r) * Math.cos(lat), Math.cos(r) - Math.sin(lat) * Math.sin(to));
    points.push([across / rad, to / rad]);
  }
  const { code, href, precision_m } = place;
  return { type: 'Feature', properties: { code, href, precision_m }, geometry: { type: 'Polygon', coordinates: [points] } };
}

function colour(map, figure) {
  const css = getComputedStyle(figure);
  const of = (name) => css.getPropertyValue(`--map-${name}`).trim() || '#808080';
  map.setPaintProperty('sea', 'background-color', of('sea'));
  map.setPaintProperty('land', 'fill-color', of('land'));
  map.setPaintProperty('ring', 'fill-color', of('ring'));
  map.setPaintProperty('ring-edge', 'line-color', of('ring'));
  for (const name of ['coast', 'boundary', 'contested', 'line']) map.setPaintProperty(name, 'line-color', of(name));
}

// lineTags names each line as each party does. Where the names stand is for settle().
function lineTags(engine, map, base, lines) {
  return lines.map(({ code, names }) => {
    const anchors = base.features.filter((f) => f.properties.kind === 'anchor' && f.properties.code === code);
    const labels = !anchors.length ? [] : names.map(({ party, name }) => {
      const element = make('span', 'map-line-name', name);
      element.dir = 'auto';
      const marker = new engine.Marker({ element }).setLngLat(anchors[0].geometry.coordinates).addTo(map);
      return { party, element, marker };
    });
    return { anchors, labels };
  });
}

// settle puts the names of a line where they cover the fewest places: every name on
// the side where the party's places are, or else where there is room.
function settle(map, { anchors, labels }, signs) {
  const { clientWidth: width, clientHeight: height } = map.getContainer();
  let best = null;
  for (const anchor of anchors) {
    const { nx, ny, sides } = anchor.properties;
    const at = map.project(anchor.geometry.coordinates);
    const used = { 1: 10, '-1': 10 };
    let cost = 0;
    const offsets = labels.map(({ party, element }) => {
      const side = sides?.[party] ?? (used[1] <= used[-1] ? 1 : -1);
      const [w, h] = [element.offsetWidth / 2, element.offsetHeight / 2];
      const out = used[side] + Math.abs(nx) * w + Math.abs(ny) * h; // so that its box does not touch the line
      used[side] += 2 * h;
      const [x, y] = [at.x + nx * side * out, at.y + ny * side * out];
      if (x < w || y < h || x > width - w || y > height - h) cost += 1000;
      for (const s of signs) if (Math.abs(s.x - x) < w + 12 && Math.abs(s.y - y) < h + 12) cost++;
      return [nx * side * out, ny * side * out];
    });
    if (!best || cost < best.cost) best = { cost, anchor, offsets };
  }
  labels.forEach(({ marker }, i) => marker.setLngLat(best.anchor.geometry.coordinates).setOffset(best.offsets[i]));
}

// placeTags gives each place a link: how many there are, and the name where it fits.
function placeTags(engine, map, places) {
  const order = [...places].sort((a, b) => (b.count ?? 0) - (a.count ?? 0) || a.precision_m - b.precision_m);
  return order.map((place) => {
    const element = make(place.href ? 'a' : 'span', 'map-place');
    if (place.href) element.href = place.href;
    if (place.count > 0) element.append(make('b', 'map-count', String(place.count)));
    else element.append(make('i', 'map-dot'));
    const name = make('bdi', 'map-name', place.name);
    element.append(name);
    element.setAttribute('aria-label', place.count > 0 ? `${place.name}: ${place.count}` : place.name);
    element.title = place.name;
    new engine.Marker({ element }).setLngLat([place.lon_e6 / 1e6, place.lat_e6 / 1e6]).addTo(map);
    return { element, name };
  });
}

// untangle hides names of places that would lie on others, and turns to the other
// side of their sign those that the edge would cut. Signs and the names of lines stay.
function untangle(tags, labels, host) {
  const box = (e) => e.getBoundingClientRect();
  const edge = box(host);
  for (const { name } of tags) {
    name.hidden = false;
    delete name.dataset.turned;
  }
  for (const { name } of tags) {
    const b = box(name);
    if (b.right > edge.right || b.left < edge.left) name.dataset.turned = '';
  }
  const boxes = tags.map((t) => ({ t, sign: box(t.element.firstChild), name: box(t.name) }));
  const taken = [...labels.map((l) => box(l.element)), ...boxes.map((b) => b.sign)];
  for (const { t, sign, name } of boxes) {
    const hit = (o) => o !== sign && name.left < o.right && o.left < name.right && name.top < o.bottom && o.top < name.bottom;
    if (taken.some(hit)) t.name.hidden = true;
    else taken.push(name);
  }
}

// follow opens what the smallest ring under a click stands for.
function follow(map) {
  const at = (e) => map.queryRenderedFeatures(e.point, { layers: ['ring'] })
    .map((f) => f.properties).filter((p) => p.href).sort((a, b) => a.precision_m - b.precision_m)[0];
  map.on('click', (e) => {
    const place = at(e);
    if (place) location.assign(place.href);
  });
  map.on('mousemove', (e) => { map.getCanvas().style.cursor = at(e) ? 'pointer' : ''; });
}

function make(tag, className = '', text = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}
