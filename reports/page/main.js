// main.js - which page is shown, as the address says: "#" is the overview, "#v3" the third
// violation, "#v3/found" another run of it, "#v3/s12" a step.  And keys, colours, printing.
'use strict';

const main = document.getElementById('main');
const searchField = document.getElementById('search');
const overview = new Overview();
let view = null; // of a violation; null: the overview is shown
let routed = null; // the address of what is shown

// --- addresses

function parse(address) {
  const found = /^#v(\d{1,9})(?:\/(found|c\d{1,9}n?))?(?:\/s(\d{1,9}))?$/.exec(address);
  return found && violations[found[1] - 1]
    ? {violation: violations[found[1] - 1], key: found[2] || '',
      step: found[3] ? Number(found[3]) - 1 : null} : null;
}

// Without a new entry of the history for each step.
function remember(timeline, index) {
  try {
    history.replaceState(null, '', `${timeline.options.prefix}/s${index + 1}`);
    routed = location.hash;
  } catch {
    // Where addresses may not be changed there is nothing to remember.
  }
}

function showOverview() {
  if (view)
    view.close();
  const from = view && view.violation;
  view = null;
  document.title = 'overbook report';
  main.replaceChildren(overview.root);
  overview.search(searchField.value);
  const link = from && main.querySelector(`a[href="#v${from.number}"]`);
  if (link && !link.closest('[hidden]'))
    link.focus();
  else
    window.scrollTo(0, 0);
}

function showViolation({violation, key, step}) {
  const other = !view || view.violation !== violation;
  if (other) {
    if (view)
      view.close();
    view = new ViolationView(violation, remember);
    view.query = searchField.value;
    main.replaceChildren(view.root);
    document.title = `${line(violation.invariant, 60)} · overbook report`;
  }
  view.draw(key.replace(/n$/, ''));
  const timeline = view.timelines[key.endsWith('n') ? 1 : 0];
  if (step !== null && timeline && timeline.timeline.steps.length > 0)
    timeline.goTo(step);
  else if (other && key === '')
    window.scrollTo(0, 0);
  else
    view.showRun();
}

function route() {
  if (location.hash === routed)
    return;
  routed = location.hash;
  const where = parse(routed);
  if (where)
    showViolation(where);
  else
    showOverview();
}

// At once, so that the next key finds it done.
function go(address) {
  location.hash = address;
  route();
}

// --- colours

const THEMES = {
  auto: ['◐', 'Colours: as the system'],
  light: ['☀', 'Colours: light'],
  dark: ['☾', 'Colours: dark'],
};

// Where nothing can be stored the choice lasts as long as the page.
function stored(theme) {
  try {
    if (theme)
      localStorage.setItem('overbook-theme', theme);
    return localStorage.getItem('overbook-theme');
  } catch {
    return theme;
  }
}

function setTheme(theme) {
  const [sign, words] = THEMES[theme];
  const button = document.getElementById('theme');
  if (theme === 'auto')
    delete document.documentElement.dataset.theme;
  else
    document.documentElement.dataset.theme = theme;
  button.textContent = sign;
  button.setAttribute('aria-label', words);
  button.title = words;
  return theme;
}

let theme = setTheme(stored() in THEMES ? stored() : 'auto');

function nextTheme() {
  const names = Object.keys(THEMES);
  theme = setTheme(names[(names.indexOf(theme) + 1) % names.length]);
  stored(theme);
  say(THEMES[theme][1]);
}

// --- searching

function search() {
  if (view)
    view.search(searchField.value);
  else
    overview.search(searchField.value);
}

function searchKey(event) {
  if (event.key === 'Escape') {
    searchField.value = '';
    search();
    searchField.blur();
  } else if (event.key === 'Enter' && view && view.first) {
    view.first.move(event.shiftKey ? -1 : 1, view.first.matches);
    searchField.focus();
  }
}

// --- keys

const help = document.getElementById('help');

function openHelp() {
  if (!help.open)
    help.showModal();
}

function toViolation(by) {
  const next = violations[view ? view.violation.number - 1 + by : by > 0 ? 0 : violations.length];
  if (next)
    go(`#v${next.number}`);
}

function moveStep(by) {
  if (view && view.first) {
    const timeline = view.timelines.find((one) => one.root.contains(document.activeElement));
    (timeline || view.first).move(by);
  } else if (!view) {
    moveResult(by);
  }
}

function moveResult(by) {
  const links = [...main.querySelectorAll('.found-list a')].filter((link) =>
    !link.closest('[hidden]'));
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by];
  if (next)
    next.focus();
}

function toConflict() {
  const pair = view && view.violation.explanation && view.violation.explanation.conflict;
  if (pair && pair.length > 0 && view.first)
    view.first.goTo(view.first.current === pair[0] ? pair[1] : pair[0]);
}

function toEnd(last) {
  if (view && view.first)
    view.first.goTo(last ? view.first.timeline.steps.length - 1 : 0);
}

const KEYS = [
  [['j', 'ArrowDown'], 'j or ↓', 'The next step, or violation', () => moveStep(1)],
  [['k', 'ArrowUp'], 'k or ↑', 'The one before', () => moveStep(-1)],
  [['Enter'], 'Enter', 'All of the step, or open the violation', null],
  [['g', 'Home'], 'g', 'The first step', () => toEnd(false)],
  [['G', 'End'], 'G', 'The last step', () => toEnd(true)],
  [['c'], 'c', 'The steps in conflict', toConflict],
  [['n'], 'n', 'The next violation', () => toViolation(1)],
  [['p'], 'p', 'The violation before', () => toViolation(-1)],
  [['/'], '/', 'Search; Enter for the next step found', () => searchField.focus()],
  [['o', 'Escape'], 'o or Esc', 'The overview', () => view && go('#')],
  [['t'], 't', 'Dark, light, or as the system', nextTheme],
  [['?'], '?', 'These keys', openHelp],
];

function fillHelp() {
  const close = element('button', {type: 'button'}, 'Close');
  close.addEventListener('click', () => help.close());
  help.append(element('h2', {id: 'help-title'}, 'Keys'),
    element('dl.key-list', {}, KEYS.map(([, shown, words]) => element('div', {},
      element('dt', {}, element('kbd', {}, shown)), element('dd', {}, words)))), close);
}

function key(event) {
  const typing = event.target.matches('input, textarea, select');
  if (typing || event.ctrlKey || event.metaKey || event.altKey || help.open)
    return;
  const inText = event.target.matches('pre') && event.key.startsWith('Arrow');
  const found = KEYS.find(([keys, , , act]) => act && keys.includes(event.key));
  const own = ['Home', 'End'].includes(event.key) && !(view && view.first);
  if (!found || inText || own)
    return;
  event.preventDefault();
  found[3]();
}

// --- the beginning

function fillFacts() {
  document.getElementById('facts').textContent =
    visible(`${result.overbook} · PostgreSQL ${result.postgres} · seed ${result.seed}` +
      `${result.shard ? ` · shard ${result.shard.index} of ${result.shard.count}` : ''}`);
}

document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
document.addEventListener('keydown', key);
document.getElementById('theme').addEventListener('click', nextTheme);
document.getElementById('keys').addEventListener('click', openHelp);
searchField.addEventListener('input', search);
searchField.addEventListener('keydown', searchKey);
window.addEventListener('hashchange', route);
window.addEventListener('beforeprint', () => {
  if (view)
    view.timelines.forEach((timeline) => timeline.beginPrint());
});
window.addEventListener('afterprint', () => {
  if (view)
    view.timelines.forEach((timeline) => timeline.endPrint());
});
fillFacts();
fillHelp();
route();
