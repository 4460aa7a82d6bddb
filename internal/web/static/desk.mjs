// SPDX-License-Identifier: Apache-2.0
// Comfort at the form for statements: everything in it can be done without this file.

const form = document.querySelector('form.statement');
if (form) start(form);

function start(form) {
  const rows = form.querySelector('#rows');
  const empty = form.querySelector('#empty-row');
  const fileButton = form.querySelector('button[value="file"]');
  let changed = false; // since it was last kept
  let typing = 0; // counts changes, to see whether one came meanwhile
  let keeping = null; // the request under way
  let leaving = false;

  // What was typed is kept every ten seconds, and when the window is left.
  const touched = () => { changed = true; typing++; };
  form.addEventListener('input', (event) => {
    if (event.target.closest('[data-filter]')) return;
    touched();
    lookAround();
  });
  setInterval(() => { if (changed && !keeping && !leaving) keeping = keep().finally(() => { keeping = null; }); }, 10_000);

  async function keep() {
    const at = typing;
    const said = form.querySelector('[data-kept]');
    const unsaid = form.querySelector('[data-unkept]');
    try {
      const answer = await fetch(form.dataset.keep, { method: 'POST', body: fields() });
      if (!answer.ok) throw new Error(answer.status);
      const { draft } = await answer.json();
      if (form.elements.draft.value !== draft) {
        form.elements.draft.value = draft;
        if (location.pathname.endsWith('/new')) {
          history.replaceState(null, '', form.dataset.drafts.replace(/(\?|$)/, `${draft}$1`));
        }
      }
      if (at === typing) changed = false;
      const now = new Date();
      const time = said.querySelector('[data-kept-time]');
      time.textContent = now.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
      time.dateTime = now.toISOString();
      said.hidden = false;
      unsaid.hidden = true;
    } catch {
      said.hidden = true;
      unsaid.hidden = false;
    }
  }

  // The fields without the file, which is too much to send every time.
  function fields() {
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === 'string' && value !== '') data.append(name, value);
    }
    return data;
  }

  addEventListener('beforeunload', (event) => {
    if (changed && !leaving) event.preventDefault();
  });

  // A form is sent once. What is being kept comes first, so that one draft is made and not two.
  form.addEventListener('submit', async (event) => {
    if (leaving) {
      event.preventDefault();
      return;
    }
    if (keeping) {
      event.preventDefault();
      const by = event.submitter;
      await keeping;
      form.requestSubmit(by);
      return;
    }
    leaving = true;
    setTimeout(() => { leaving = false; }, 10_000); // should the answer not come
  });
  addEventListener('pageshow', () => { leaving = false; });

  addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && form.contains(document.activeElement)) {
      event.preventDefault();
      form.requestSubmit(fileButton);
    }
  });
  for (const hint of form.querySelectorAll('.keyboard')) hint.hidden = false;

  // Rows of claims are added, removed and moved on the spot.
  rows.addEventListener('click', (event) => {
    const row = event.target.closest('li');
    if (event.target.closest('[data-remove]')) {
      event.preventDefault();
      const next = row.nextElementSibling ?? row.previousElementSibling;
      row.remove();
      if (!rows.children.length) add();
      number();
      (next?.querySelector('select') ?? rows.querySelector('select')).focus();
      touched();
    } else if (event.target.closest('[data-up]')) {
      event.preventDefault();
      row.previousElementSibling?.before(row);
      number();
      const up = row.querySelector('[data-up]');
      (up.hidden ? row.querySelector('select') : up).focus();
      touched();
    }
  });
  form.querySelector('[data-more]').addEventListener('click', (event) => {
    event.preventDefault();
    if (rows.children.length >= Number(rows.dataset.most)) return;
    add().querySelector('select').focus();
    touched();
  });

  function add() {
    rows.append(empty.content.cloneNode(true));
    number();
    places(rows.lastElementChild);
    return rows.lastElementChild;
  }

  // number gives every row the number of its place.
  function number() {
    let n = 0;
    for (const row of rows.children) {
      n++;
      const was = row.id.slice(4);
      row.id = `row-${n}`;
      const up = row.querySelector('[data-up]');
      if (up) up.hidden = n === 1 || !row.previousElementSibling.querySelector('[data-up]');
      if (was === String(n)) continue;
      const from = `claim.${was}.`;
      const to = `claim.${n}.`;
      for (const element of row.querySelectorAll('[name], [id], [href], [aria-describedby]')) {
        for (const attribute of ['name', 'id', 'href', 'aria-describedby']) {
          const value = element.getAttribute(attribute);
          if (value?.includes(from)) element.setAttribute(attribute, value.replaceAll(from, to));
        }
      }
      row.querySelector('.row-head bdi').textContent = n;
      row.setAttribute('aria-label', row.querySelector('.row-head strong').textContent.trim());
      for (const button of row.querySelectorAll('.row-head button')) {
        button.value = button.value.replace(/[0-9]+$/, n);
        button.setAttribute('aria-label', `${button.textContent.trim()} ${n}`);
      }
    }
    form.elements.rows.value = n;
  }

  // A claimant who was heard before brings kind and party along.
  const claimant = form.elements.namedItem('claimant');
  if (claimant.list) {
    const kind = form.elements.namedItem('claimant_kind');
    const party = form.elements.namedItem('party');
    const ours = new Map(); // what was filled in here may be filled in anew
    const fill = (select, value) => {
      if (select.value === '' || ours.get(select) === select.value) {
        select.value = value;
        ours.set(select, value);
      }
    };
    claimant.addEventListener('change', () => {
      const known = [...claimant.list.options].filter((option) => option.value === claimant.value.trim());
      const one = known.length > 0 && known.every((o) => o.dataset.kind === known[0].dataset.kind && o.dataset.party === known[0].dataset.party);
      if (one) {
        fill(kind, known[0].dataset.kind);
        fill(party, known[0].dataset.party);
      }
    });
  }

  // Long lists of places are narrowed by typing; Enter chooses the first that is left. They
  // are one stop for the tabulator: the arrows lead from one place to the next.
  function places(root) {
    for (const list of root.querySelectorAll('.places')) {
      const filter = list.querySelector('[data-filter]');
      const nothing = list.querySelector('.nothing');
      const box = list.querySelector('.choices');
      filter.closest('label').hidden = false;
      list.querySelector('.past').hidden = true;
      const left = () => [...box.querySelectorAll('label:not([hidden]) input')];
      const narrow = () => {
        const words = folded(filter.value).split(' ').filter(Boolean);
        for (const label of box.querySelectorAll('label')) {
          const name = folded(label.textContent);
          label.hidden = !words.every((word) => name.includes(word));
        }
        nothing.hidden = left().length > 0;
        stop(left()[0]);
      };
      const stop = (at) => {
        for (const input of box.querySelectorAll('input')) input.tabIndex = input === at ? 0 : -1;
      };
      stop(left()[0]);
      box.addEventListener('focusin', (event) => stop(event.target));
      box.addEventListener('keydown', (event) => {
        const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        event.preventDefault();
        const inputs = left();
        const sideways = event.key === 'ArrowLeft' || event.key === 'ArrowRight';
        const turn = sideways && getComputedStyle(box).direction === 'rtl' ? -step : step;
        inputs[(inputs.indexOf(event.target) + turn + inputs.length) % inputs.length]?.focus();
      });
      filter.addEventListener('input', narrow);
      for (const type of ['keydown', 'keypress']) { // a browser sends a form on either
        filter.addEventListener(type, (event) => {
          if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return;
          event.preventDefault();
          const first = left()[0];
          if (type === 'keydown' && first && filter.value.trim()) {
            first.checked = true;
            box.prepend(first.closest('label'));
            filter.value = '';
            narrow();
            touched();
          }
        });
      }
    }
  }
  places(form);

  // folded writes what keyboards and habits write differently in one way.
  function folded(s) {
    return s.normalize('NFKD').replace(/[\p{M}\u2066-\u2069\u200c\u200e\u200f]/gu, '').toLowerCase()
      .replace(/[\u064a\u0649\u06cd\u06d0]/g, '\u06cc').replace(/\u0643/g, '\u06a9').replace(/[^\p{L}\p{N}]+/gu, ' ').trim();
  }

  // Statements that may be the same are looked for while one is typed.
  const alike = form.querySelector('#alike');
  let waiting = 0;
  let asked = '';
  function lookAround() {
    if (claimant.type === 'hidden' || !form.dataset.similar) return; // an amendment, or a version to be sealed
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const data = new URLSearchParams();
      for (const [name, value] of fields()) {
        if (/^(claimant|said_on|quote|url|title|report|claim\.[0-9]+\.words)$/.test(name)) data.append(name, value);
      }
      if (asked === data.toString() || !data.has('claimant') && !data.has('quote')) return;
      asked = data.toString();
      try {
        const answer = await fetch(form.dataset.similar, { method: 'POST', body: data });
        if (!answer.ok) return;
        const { html } = await answer.json();
        if (asked === data.toString()) alike.innerHTML = html;
      } catch {
        // Not there: it is shown once the form is looked through.
      }
    }, 800);
  }

  // A file that is too large is not sent at all.
  const file = form.querySelector('input[type="file"]');
  file?.addEventListener('change', () => {
    const large = file.files[0]?.size > Number(file.dataset.max);
    file.setCustomValidity(large ? file.dataset.large : '');
    file.reportValidity();
  });

  form.querySelector('[data-discard]').addEventListener('click', () => { changed = false; });

  // A new form begins at the address of the document.
  if (location.pathname.endsWith('/new') && document.activeElement === document.body) {
    (form.elements.namedItem('url') ?? claimant).focus();
  }
}
