// SPDX-License-Identifier: Apache-2.0
// Comfort only: every page is complete without this file.

// Copy buttons appear where there is a clipboard to copy to.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll('button.copy')) {
    const code = button.parentElement.querySelector('code');
    button.hidden = false;
    button.addEventListener('click', () => copied(button, code.textContent));
  }
  for (const link of document.querySelectorAll('a[data-copy]')) {
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      copied(link, link.dataset.copy);
    });
  }
}

async function copied(element, text) {
  const before = element.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return; // not allowed: the text can still be marked by hand
  }
  element.textContent = element.dataset.done;
  setTimeout(() => { element.textContent = before; }, 2000);
}

// A form that only narrows a list is sent as soon as a choice is made. Empty fields
// are left out of the address.
for (const form of document.querySelectorAll('form[data-auto], form[data-tidy]')) {
  for (const select of form.querySelectorAll('form[data-auto] select')) {
    select.addEventListener('change', () => form.requestSubmit());
  }
  form.addEventListener('submit', () => {
    for (const field of form.elements) {
      if (field.name && !field.value) field.disabled = true;
    }
  });
  addEventListener('pageshow', () => {
    for (const field of form.elements) field.disabled = false;
  });
}

// A slash leads to the search, unless somebody is writing.
addEventListener('keydown', (event) => {
  const box = document.querySelector('[data-find]');
  // On keyboards of other scripts the key gives another letter.
  const slash = event.key === '/' || event.code === 'Slash' && !event.shiftKey;
  if (!slash || event.ctrlKey || event.metaKey || event.altKey || !box) return;
  if (event.target.closest('input, textarea, select, [contenteditable]')) return;
  event.preventDefault();
  box.focus();
  box.select();
});

// Drawing over the strip of time narrows the list from the first bar to the last.
for (const strip of document.querySelectorAll('[data-brush]')) {
  const bars = [...strip.querySelectorAll('a[data-date]')];
  let from = -1;
  let drawn = false;
  const at = (event) => bars.findIndex((bar) => {
    const box = bar.getBoundingClientRect();
    return event.clientX >= box.left && event.clientX < box.right;
  });
  const mark = (to) => bars.forEach((bar, i) => bar.classList.toggle('brush-drawn', from >= 0 && i >= Math.min(from, to) && i <= Math.max(from, to)));
  strip.addEventListener('dragstart', (event) => event.preventDefault());
  strip.addEventListener('pointerdown', (event) => {
    if (event.button === 0 && event.pointerType !== 'touch') from = at(event);
    drawn = false;
  });
  addEventListener('pointermove', (event) => {
    const to = from < 0 ? -1 : at(event);
    if (to < 0 || to === from && !drawn) return;
    drawn = true;
    mark(to);
  });
  addEventListener('pointerup', (event) => {
    const to = from < 0 || !drawn ? -1 : at(event);
    if (to >= 0) {
      const url = new URL(bars[0].href.baseVal, location.href);
      url.searchParams.set('since', bars[Math.min(from, to)].dataset.date);
      url.searchParams.set('until', bars[Math.max(from, to)].dataset.date);
      location.assign(url);
    }
    from = -1;
    if (to < 0) mark(-1);
  });
  strip.addEventListener('click', (event) => { if (drawn) event.preventDefault(); });
}

// An address that names a place on the page opens what hides it.
function reveal() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  for (let e = target; e; e = e.parentElement) {
    if (e.localName === 'details') e.open = true;
  }
}
addEventListener('hashchange', reveal);
reveal();
