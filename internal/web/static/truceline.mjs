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
for (const form of document.querySelectorAll('form[data-auto]')) {
  for (const select of form.querySelectorAll('select')) {
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

// An address that names a place on the page opens what hides it.
function reveal() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  for (let e = target; e; e = e.parentElement) {
    if (e.localName === 'details') e.open = true;
  }
}
addEventListener('hashchange', reveal);
reveal();
