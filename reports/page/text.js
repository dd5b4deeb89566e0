// text.js - elements, and texts from outside (SQL, names, rows of the tested application) made fit
// to be seen: they become text and never markup, what is invisible is named, and what would turn
// the order of its surroundings is shut in.
'use strict';

// element('p.note', {title: 'x', onclick: f}, child…): the properties are set, or as attributes
// where they have a "-" or are no property; null children are left out, texts become text nodes.
function element(name, properties, ...children) {
  const [tag, ...classes] = name.split('.');
  const made = document.createElement(tag || 'div');
  if (classes.length > 0)
    made.className = classes.join(' ');
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false)
      continue;
    if (!key.includes('-') && key in made && key !== 'role')
      made[key] = value;
    else
      made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

// Control characters, and those that turn the direction of writing or are not seen at all.
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

function named(character) {
  return `⟨U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

function visible(text) {
  return String(text).replace(UNSEEN, named);
}

// On one line, at most so many characters of it.
function line(text, most = 400) {
  const start = String(text).slice(0, 4 * most).replace(/\s+/g, ' ').trim();
  const shown = visible(start);
  return shown.length > most || start.length < String(text).trim().length && shown.length >= most
    ? `${shown.slice(0, most)}…` : shown;
}

// A text from outside within a sentence of ours.
function outside(text, name = 'bdi') {
  return element(name, {}, visible(text));
}

// Where there is no room for columns a cell says itself which one it is of.
function table(headings, rows) {
  rows.forEach((row) => [...row.cells].forEach((cell, column) => {
    cell.dataset.column = headings[column].textContent;
  }));
  return element('table', {}, element('thead', {}, element('tr', {}, headings)),
    element('tbody', {}, rows));
}

const number = new Intl.NumberFormat('en');

function count(amount, one, many = `${one}s`) {
  return `${number.format(amount)} ${amount === 1 ? one : many}`;
}

function seconds(amount) {
  if (amount >= 120)
    return `${number.format(Math.round(amount / 60))} min`;
  if (amount >= 10)
    return `${amount.toFixed(1)} s`;
  return amount >= 1 ? `${amount.toFixed(2)} s` : `${Math.round(amount * 1000)} ms`;
}

// Says it to those who do not see the page.
function say(text) {
  document.getElementById('said').textContent = text;
}

function copyBySelection(text) {
  const area = element('textarea', {value: text, readOnly: true});
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}

// Where the page comes from a place that the browser does not trust there is no clipboard.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyButton(what, text) {
  const button = element('button.copy', {type: 'button', 'aria-label': `Copy ${what}`}, 'Copy');
  button.addEventListener('click', async () => {
    const copied = await copy(text);
    button.textContent = copied ? 'Copied' : 'Not allowed';
    button.classList.toggle('done', copied);
    say(copied ? `Copied ${what}` : `Could not copy ${what}`);
    setTimeout(() => {
      button.textContent = 'Copy';
      button.classList.remove('done');
    }, 2000);
  });
  return button;
}

const PART = 20000; // characters of a long text that are shown at first

// A text with its line ends; a very long one in parts.
function block(text, name = 'pre') {
  const whole = String(text);
  const shown = element(name, {tabIndex: 0}, visible(whole.slice(0, PART)));
  if (whole.length <= PART)
    return shown;
  const more = element('button.more', {type: 'button'},
    `Show all ${number.format(whole.length)} characters`);
  more.addEventListener('click', () => {
    shown.textContent = visible(whole);
    more.remove();
    shown.focus();
  });
  return element('div', {}, shown, more);
}

// A label with a sign before it that does not depend on colour.
function chip(kind, text, sign) {
  return element(`span.chip.${kind}`, {},
    sign ? element('span.sign', {'aria-hidden': 'true'}, sign) : null, text);
}
