// SPDX-License-Identifier: Apache-2.0

// Copies the files that browsers need from node_modules, where `npm ci` put the
// exact versions of package-lock.json, into internal/assets/vendor, which the
// program embeds. Nothing is bundled, and nothing is fetched here.
//
// Texts are stored compressed, under their name with .gz; the program sends them
// as they are to every browser that takes gzip.

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const vendor = join(root, 'internal', 'assets', 'vendor');
const keep = 'Browser files that `make assets` copies here; they are not committed.\n';

const compressed = {
  'maplibre-gl.mjs': 'maplibre-gl/dist/maplibre-gl.mjs',
  'maplibre-gl-worker.mjs': 'maplibre-gl/dist/maplibre-gl-worker.mjs',
  'maplibre-gl.css': 'maplibre-gl/dist/maplibre-gl.css',
  'noble-ed25519.mjs': '@noble/ed25519/index.js', // what browsers check signatures with
  ...Object.fromEntries(['_md.js', '_u64.js', 'hmac.js', 'sha2.js', 'utils.js'].map((name) => [`noble-hashes/${name}`, `@noble/hashes/${name}`])),
};

const fonts = {
  'noto-sans-latin-400.woff2': '@fontsource/noto-sans/files/noto-sans-latin-400-normal.woff2',
  'noto-sans-latin-600.woff2': '@fontsource/noto-sans/files/noto-sans-latin-600-normal.woff2',
  'noto-naskh-arabic-400.woff2': '@fontsource/noto-naskh-arabic/files/noto-naskh-arabic-arabic-400-normal.woff2',
  'noto-naskh-arabic-700.woff2': '@fontsource/noto-naskh-arabic/files/noto-naskh-arabic-arabic-700-normal.woff2',
};

function fail(message) {
  process.stderr.write(`assets: ${message}\n`);
  process.exit(1);
}

function source(path) {
  const full = join(modules, path);
  if (!existsSync(full)) fail(`${path} is not in node_modules: run npm ci --ignore-scripts`);
  return full;
}

function store(name, bytes) {
  // Level 9 without a time or a name: the same input gives the same bytes.
  writeFileSync(join(vendor, `${name}.gz`), gzipSync(bytes, { level: 9 }));
}

// The map of a source file is not shipped, so its name must not be asked for.
function withoutSourceMap(text) {
  return text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, '\n');
}

// The atlas keeps what the base map reads, in the order in which a reader can drop
// what lies far away as it goes: transform, objects, arcs.
function atlas() {
  const topology = JSON.parse(readFileSync(source('world-atlas/countries-10m.json'), 'utf8'));
  const slim = ({ type, arcs, id, properties }) => ({ type, id, properties, arcs });
  const objects = {};
  for (const name of ['countries', 'land']) {
    const object = topology.objects?.[name];
    if (!object) fail(`the atlas has no object ${name}`);
    objects[name] = { type: object.type, geometries: object.geometries.map(slim) };
  }
  return JSON.stringify({ type: topology.type, transform: topology.transform, objects, arcs: topology.arcs });
}

// Packages in node_modules, scoped ones included.
function packages() {
  const found = [];
  for (const name of readdirSync(modules).sort()) {
    if (name.startsWith('.')) continue;
    if (!name.startsWith('@')) found.push(name);
    else for (const inner of readdirSync(join(modules, name)).sort()) found.push(`${name}/${inner}`);
  }
  return found.filter((name) => existsSync(join(modules, name, 'package.json')));
}

// MapLibre's file holds code of the packages it depends on, so each one's licence is given.
function licences() {
  const parts = ['Files of other projects that Truceline serves to browsers, or that these contain.\n'];
  for (const name of packages()) {
    const about = JSON.parse(readFileSync(join(modules, name, 'package.json'), 'utf8'));
    const file = readdirSync(join(modules, name)).find((f) => /^(licen[cs]e|copying)(\.|$)/i.test(f));
    const text = file ? readFileSync(join(modules, name, file), 'utf8').trim() : '';
    parts.push(`${'='.repeat(78)}\n${name} ${about.version} (${about.license ?? 'see its text'})\n\n${text}\n`);
  }
  parts.push(`${'='.repeat(78)}\nNatural Earth (the data of world-atlas): public domain, naturalearthdata.com\n`);
  return parts.join('\n');
}

rmSync(vendor, { recursive: true, force: true });
for (const folder of ['fonts', 'noble-hashes']) mkdirSync(join(vendor, folder), { recursive: true });
writeFileSync(join(vendor, '.keep'), keep);
for (const [name, path] of Object.entries(compressed)) {
  const text = readFileSync(source(path), 'utf8');
  store(name, /js$/.test(name) ? withoutSourceMap(text) : text);
}
for (const [name, path] of Object.entries(fonts)) copyFileSync(source(path), join(vendor, 'fonts', name));
store('countries-10m.json', atlas());
store('licences.txt', licences());
writeFileSync(join(vendor, '.stamp'), readFileSync(join(root, 'package-lock.json')).length + '\n');
