// SPDX-License-Identifier: Apache-2.0
// Keys for the workbench. Comfort only: all that they do is also a button or a link.

const bench = document.querySelector('[data-queue]');
if (bench) keys(bench);

function keys(bench) {
  const link = document.getElementById('link');
  const ticks = link ? [...link.querySelectorAll('input[name="incident"]')] : [];
  const find = document.getElementById('find');
  const remember = 'truceline.keys';
  let on = stored() !== 'off';

  function stored() {
    try { return localStorage.getItem(remember); } catch { return null; }
  }

  const choice = bench.querySelector('[data-keys-switch]');
  if (choice) {
    const box = choice.querySelector('input');
    choice.hidden = false;
    box.checked = on;
    box.addEventListener('change', () => {
      on = box.checked;
      try { localStorage.setItem(remember, on ? 'on' : 'off'); } catch { /* it holds for this page */ }
    });
  }

  // Looking for another incident keeps what is ticked.
  document.getElementById('find-form')?.addEventListener('submit', (event) => {
    for (const t of ticks) {
      if (!t.checked) continue;
      const field = document.createElement('input');
      field.type = 'hidden';
      field.name = 'tick';
      field.value = t.value;
      event.target.append(field);
    }
  });

  const writes = (e) => e.closest('textarea, select, [contenteditable], input:not([type="checkbox"], [type="radio"])') !== null;

  // What is folded away is unfolded first: nothing is ticked out of sight.
  function reach(tick) {
    const fold = tick?.closest('details:not([open])');
    if (fold) fold.open = true;
    tick?.focus();
  }

  function move(step) {
    const at = ticks.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : ticks.length - 1) : at + step;
    reach(ticks[next]);
  }

  function open(id) {
    const way = document.getElementById(id);
    if (!way) return;
    way.open = true;
    const field = way.querySelector('form :is(input:not([type="hidden"]), select, textarea)') ?? way.querySelector('summary');
    field.focus();
    way.scrollIntoView({ block: 'nearest' });
  }

  function accept() {
    const focused = ticks.indexOf(document.activeElement);
    if (!link?.querySelector('button[type="submit"]')) return false;
    if (!ticks.some((t) => t.checked)) {
      if (focused < 0) return false;
      ticks[focused].checked = true;
    }
    link.requestSubmit();
    return true;
  }

  const acts = {
    j: () => move(1),
    k: () => move(-1),
    n: () => open('new'),
    x: () => open('aside'),
    l: () => open('later'),
    '/': () => { find?.focus(); find?.select(); },
    '?': () => {
      const help = document.getElementById('keys');
      help.open = !help.open;
      help.querySelector('summary').focus();
    },
    u: () => document.querySelector('.last-form')?.requestSubmit(),
    s: () => bench.querySelector('.work-nav a[rel="next"]')?.click(),
    b: () => bench.querySelector('.work-nav a[rel="prev"]')?.click(),
  };

  // letter is the key by its Latin letter, also on a keyboard of another script.
  function letter(event) {
    if (/^[\x21-\x7e]$/.test(event.key)) return event.key.toLowerCase();
    const key = /^(?:Key|Digit)([A-Z0-9])$/.exec(event.code);
    if (key) return key[1].toLowerCase();
    return event.code === 'Slash' ? (event.shiftKey ? '?' : '/') : '';
  }

  // Before the keys that every page has: here a slash looks for an incident.
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey || event.metaKey) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key === 'Enter' && event.ctrlKey) {
      const form = target.closest('main form[method="post"]');
      if (form && form !== link) form.requestSubmit();
      else if (!accept()) return;
      event.preventDefault();
      return;
    }
    if (event.ctrlKey) return;
    if (event.key === 'Escape') {
      if (target !== document.body) target.blur();
      return;
    }
    if (event.key === 'Enter') {
      if ((target === document.body || target === document.documentElement || target.id === 'main' || ticks.includes(target)) && accept()) event.preventDefault();
      return;
    }
    if (!on || writes(target) || event.repeat && !'jk'.includes(event.key)) return;
    const key = letter(event);
    if (/^[1-9]$/.test(key) && ticks[key - 1]) {
      reach(ticks[key - 1]);
      ticks[key - 1].click();
    } else if (Object.hasOwn(acts, key)) {
      acts[key]();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }, true);

  // What is wrong with what was sent is read first.
  document.getElementById('problems')?.focus();
}
