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
// degrees: what is shown first), data-only (codes of places; others are left out),
// data-km and data-m (the units of the scale). A figure without data-geojson is one
// that cannot move; its drawing stays and nothing is fetched.
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

const near = 26; // pixels: signs closer than that are drawn as one

for (const figure of document.querySelectorAll('figure[data-map][data-geojson]')) offer(figure);

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
    fitBoundsOptions: { padding: 12 },
    maxBounds: [base.bbox.slice(0, 2), base.bbox.slice(2)],
    maxZoom: 11, // the lines are no more exact than that
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    renderWorldCopies: false,
    fadeDuration: 0,
    locale: { 'Map.Title': words.label, 'NavigationControl.ZoomIn': words.zoomIn, 'NavigationControl.ZoomOut': words.zoomOut,
      'ScaleControl.Kilometers': words.km ?? 'km', 'ScaleControl.Meters': words.m ?? 'm' },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  // The wheel moves the page until the reader turns to the map.
  map.scrollZoom.disable();
  map.getCanvas().addEventListener('focus', () => map.scrollZoom.enable());
  map.getCanvas().addEventListener('blur', () => map.scrollZoom.disable());
  map.addControl(new engine.NavigationControl({ showCompass: false }), 'top-right');
  map.addControl(new engine.ScaleControl({ maxWidth: 120, unit: 'metric' }), 'bottom-left');
  return new Promise((done, fail) => {
    const late = setTimeout(() => fail(new Error('the map did not come in time')), patience);
    map.once('error', (e) => fail(e.error));
    map.once('load', () => {
      clearTimeout(late);
      colour(map, figure);
      dark.addEventListener('change', () => colour(map, figure));
      const lines = lineTags(engine, map, base, data.lines ?? []);
      const tags = placeTags(engine, map, places);
      const together = [];
      const tidy = () => {
        const signs = gather(engine, map, tags, together, words, data.shared);
        const fixed = [...host.querySelectorAll('.maplibregl-ctrl')];
        for (const line of lines) settle(map, line, signs, fixed);
        const shown = [...together, ...tags.filter((t) => !t.element.classList.contains('map-merged'))];
        untangle(shown.sort((a, b) => b.count - a.count), [...fixed, ...lines.flatMap((l) => l.labels.map((n) => n.element))], host);
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
    const of = (kind) => base.features.filter((f) => f.properties.kind === kind && f.properties.code === code);
    const anchors = of('anchor');
    const paths = of('line').flatMap(({ geometry: g }) => (g.type === 'LineString' ? [g.coordinates] : g.coordinates));
    const labels = !anchors.length ? [] : names.map(({ party, name }) => {
      const element = make('span', 'map-line-name', name);
      element.dir = 'auto';
      const marker = new engine.Marker({ element }).setLngLat(anchors[0].geometry.coordinates).addTo(map);
      return { party, element, marker };
    });
    return { anchors, paths, labels };
  });
}

// inSight gives points along the longest piece of the line that is in view, the middle
// first: where it lies, and the direction to its left.
function inSight(map, paths, width, height) {
  let best = { length: 0, points: [] };
  for (const path of paths) {
    let run = { length: 0, points: [] };
    for (const at of path) {
      const p = map.project(at);
      if (p.x < 0 || p.y < 0 || p.x > width || p.y > height) {
        run = { length: 0, points: [] };
        continue;
      }
      const before = run.points.at(-1);
      if (before) run.length += Math.hypot(p.x - before.x, p.y - before.y);
      run.points.push({ x: p.x, y: p.y, along: run.length });
      if (run.length > best.length) best = run;
    }
  }
  const at = (d) => best.points.find((p) => p.along >= d) ?? best.points.at(-1);
  return best.length < 40 ? [] : [0.5, 0.25, 0.75, 0.375, 0.625, 0.125, 0.875].map((share) => {
    const here = at(best.length * share);
    const [from, to] = [at(Math.max(0, here.along - 40)), at(here.along + 40)];
    const l = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    return { x: here.x, y: here.y, nx: (to.y - from.y) / l, ny: (from.x - to.x) / l };
  });
}

// settle puts the names of a line where they cover the fewest places and no control:
// every name on the side where the party's places are, or else where there is room.
// Where the line is not in view, or one name has no room, none of the parties' stands.
function settle(map, { anchors, paths, labels }, signs, fixed) {
  const { clientWidth: width, clientHeight: height } = map.getContainer();
  const host = map.getContainer().getBoundingClientRect();
  const taken = fixed.map((e) => e.getBoundingClientRect()).map((b) => ({ x: (b.left + b.right) / 2 - host.left, y: (b.top + b.bottom) / 2 - host.top, w: b.width / 2, h: b.height / 2 }));
  const ends = anchors.map((a) => ({ at: map.project(a.geometry.coordinates), sides: a.properties.sides }));
  let best = null;
  for (const label of labels) label.element.hidden = false;
  for (const at of inSight(map, paths, width, height)) {
    const far = (e) => Math.hypot(e.at.x - at.x, e.at.y - at.y);
    const { sides } = ends.reduce((a, b) => (far(b) < far(a) ? b : a));
    const used = { 1: 10, '-1': 10 };
    let cost = 0;
    const offsets = labels.map(({ party, element }) => {
      const side = sides?.[party] ?? (used[1] <= used[-1] ? 1 : -1);
      const [w, h] = [element.offsetWidth / 2, element.offsetHeight / 2];
      const out = used[side] + Math.abs(at.nx) * w + Math.abs(at.ny) * h; // so that its box does not touch the line
      used[side] += 2 * h;
      const [x, y] = [at.x + at.nx * side * out, at.y + at.ny * side * out];
      if (x < w || y < h || x > width - w || y > height - h) cost += 1000;
      for (const b of taken) if (Math.abs(b.x - x) < w + b.w + 4 && Math.abs(b.y - y) < h + b.h + 4) cost += 1000;
      for (const s of signs) if (Math.abs(s.x - x) < w + 12 && Math.abs(s.y - y) < h + 12) cost++;
      return [x - at.x, y - at.y];
    });
    if (!best || cost < best.cost) best = { cost, at, offsets };
  }
  labels.forEach(({ element, marker }, i) => {
    element.hidden = !best || best.cost >= 1000;
    if (best) marker.setLngLat(map.unproject([best.at.x, best.at.y])).setOffset(best.offsets[i]);
  });
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
    const at = [place.lon_e6 / 1e6, place.lat_e6 / 1e6];
    const marker = new engine.Marker({ element }).setLngLat(at).addTo(map);
    return { place, at, element, name, marker, count: place.count ?? 0 };
  });
}

// gather draws signs that lie close as one, which counts each incident once and opens
// to its places. Their links stay for the keyboard and for ears. As close as the map
// goes, what lies in one point is spread. It returns where the signs are.
function gather(engine, map, tags, together, words, shared) {
  for (const old of together.splice(0)) old.marker.remove();
  const groups = tags.map((t) => ({ ...pick(map.project(t.at)), tags: [t] }));
  for (let i = 0; i < groups.length; i++) {
    const j = groups.findIndex((g, k) => k > i && Math.hypot(g.x - groups[i].x, g.y - groups[i].y) < near);
    if (j < 0) continue;
    const [a, [b]] = [groups[i], groups.splice(j, 1)];
    const [m, n] = [a.tags.length, b.tags.length];
    Object.assign(a, { x: (a.x * m + b.x * n) / (m + n), y: (a.y * m + b.y * n) / (m + n), tags: [...a.tags, ...b.tags] });
    i = -1; // the middle moved
  }
  const last = map.getZoom() > map.getMaxZoom() - 0.01;
  for (const g of groups) {
    g.tags.forEach((t, i) => {
      t.element.classList.toggle('map-merged', g.tags.length > 1 && !last);
      t.marker.setOffset(last ? [0, (i - (g.tags.length - 1) / 2) * near] : [0, 0]);
    });
    if (g.tags.length > 1 && !last) together.push(sign(engine, map, g, words, shared));
  }
  return groups;
}

const pick = ({ x, y }) => ({ x, y });

// sign is one disc for several places.
function sign(engine, map, { x, y, tags }, words, shared) {
  const names = tags.map((t) => t.place.name);
  // An incident at several of the places counts once.
  const known = Array.isArray(shared);
  const here = new Set(tags.map((t) => t.place.code));
  const twice = (shared ?? []).reduce((sum, s) => sum + s.n * Math.max(0, s.places.filter((p) => here.has(p)).length - 1), 0);
  const count = known ? tags.reduce((sum, t) => sum + t.count, 0) - twice : Math.max(...tags.map((t) => t.count));
  const element = make('button', 'map-place map-together');
  element.type = 'button';
  element.tabIndex = -1; // each place has a link of its own
  element.title = names.join(', ');
  element.setAttribute('aria-label', `${words.zoomIn}: ${names.join(', ')}`);
  const rest = names.length - 2;
  const name = make('span', 'map-name');
  name.append(make('bdi', '', names[0]), ' \u00b7 ', make('bdi', '', names[1]));
  if (rest > 0) name.append(' ', make('bdi', '', `+${rest}`));
  element.append(make('b', 'map-count', known ? String(count) : '\u2026'), name);
  element.addEventListener('click', (event) => {
    event.stopPropagation();
    const box = new engine.LngLatBounds();
    for (const t of tags) box.extend(t.at);
    const to = map.cameraForBounds(box, { padding: 80, maxZoom: map.getMaxZoom() });
    map.easeTo({ center: box.getCenter(), zoom: Math.min(map.getMaxZoom(), Math.max(to?.zoom ?? 0, map.getZoom() + 1)) });
  });
  const marker = new engine.Marker({ element }).setLngLat(map.unproject([x, y])).addTo(map);
  return { element, name, marker, count };
}

// untangle puts names of places on the side of their sign where they lie on nothing
// else and the edge cuts nothing, and hides those for which there is none. Signs and
// what is fixed stay.
function untangle(tags, fixed, host) {
  const box = (e) => e.getBoundingClientRect();
  const edge = box(host);
  const taken = [...fixed, ...tags.map((t) => t.element.firstChild)].map((e) => ({ e, b: box(e) }));
  for (const { element, name } of tags) {
    const free = (b) => b.right <= edge.right && b.left >= edge.left && !taken.some(({ e, b: o }) => e !== element.firstChild &&
      b.left < o.right && o.left < b.right && b.top < o.bottom && o.top < b.bottom);
    name.hidden = false;
    delete name.dataset.turned;
    if (!free(box(name))) name.dataset.turned = '';
    if (free(box(name))) taken.push({ e: name, b: box(name) });
    else name.hidden = true;
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
