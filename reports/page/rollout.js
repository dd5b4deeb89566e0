// rollout.js - a rollout on the first page: which orders are safe, what each phase breaks, and
// whether one can move from one to the next, and back.
'use strict';

function rolloutMark({safe, undecided}, words) {
  const [look, sign] = undecided ? ['doubt', '?'] : safe ? ['well', '✓'] : ['ill', '✗'];
  return element(`span.standing.${look}`, {}, element('span.sign', {'aria-hidden': 'true'}, sign),
    element('span.visually-hidden', {}, undecided ? 'undecided' : words));
}

// The violation that is shown of a phase or move, where the page has it.
function shownViolation(cell) {
  const one = cell.broken.length > 0 && result.results[cell.result];
  return one ? one.violations[cell.violation] : undefined;
}

function foundWords(cell) {
  if (cell.undecided)
    return ['undecided: ', outside(cell.undecided)];
  const shown = shownViolation(cell);
  return cell.broken.length === 0 ? ['holds'] : ['breaks ', ...cell.broken.flatMap((name, index) =>
    [index > 0 ? ', ' : '', shown && shown.invariant === name
      ? element('a', {href: `#v${shown.number}`}, outside(name)) : outside(name)])];
}

function rolloutTable(title, headings, rows) {
  const id = `rollout-${title.toLowerCase()}`;
  return element('section.panel.rollout', {'aria-labelledby': id}, element('h2', {id}, title),
    element('div.table-box', {tabindex: '0', role: 'group', 'aria-labelledby': id},
      table(headings.map((words) => element(words === 'Runs' ? 'th.amount' : 'th', {scope: 'col'},
        words)), rows)));
}

function orderRow({phases, moves}, order) {
  const steps = order.phases.slice(1).map((to, index) =>
    moves.find((move) => move.from === order.phases[index] && move.to === to).name);
  const found = order.undecided ? 'undecided' : order.safe ? 'safe' : 'not safe';
  const well = !order.undecided && order.safe === (order.expected === 'safe');
  return element('tr', {},
    element('th', {scope: 'row'}, rolloutMark(order, found), ' ', outside(order.name),
      element('span.small', {}, outside(order.about))),
    element('td', {}, outside(phases[order.phases[0]].name),
      steps.flatMap((name) => [' → ', outside(name)])),
    element('td', {}, element('strong', {}, found), well ? '' : ` (expected: ${order.expected})`,
      element('span.small', {}, outside(order.reason))));
}

function phaseRow(phase) {
  const safe = phase.broken.length === 0, {undecided} = phase;
  return element('tr', {},
    element('th', {scope: 'row'}, rolloutMark({safe, undecided}, safe ? 'holds' : 'does not hold'),
      ' ', outside(phase.name)),
    element('td', {}, foundWords(phase)), element('td.amount', {}, number.format(phase.runs)));
}

function wayCell(move) {
  const shown = shownViolation(move);
  return element('td', {}, element('strong', {}, move.safe ? 'safe' : 'not safe'),
    move.safe ? null : element('span.small', {}, outside(move.reason), ...(shown
      ? [' ', element('a', {href: `#v${shown.number}`}, 'See the run')] : [])));
}

function moveRow({phases}, there, back) {
  const refused = there.refused === 0 ? '' :
    `; refused in ${number.format(there.refused)} of ${number.format(there.runs)} runs`;
  return element('tr', {},
    element('th', {scope: 'row'}, rolloutMark(there, there.safe ? 'safe' : 'not safe'), ' ',
      outside(there.name),
      element('span.small', {}, 'from ', outside(phases[there.from].name), refused)),
    wayCell(there), wayCell(back),
    element('td.amount', {}, number.format(there.runs + back.runs)));
}

// What became of each request while a migration was made: a row for each, of all its outcomes.
function requestRows({phases}, move) {
  const rows = new Map();
  for (const {scenario, requests} of result.results.filter(({variant}) => variant === move.variant))
    for (const {client, request, outcome, count} of (requests ?? [])
      .filter(({when}) => when === 'while')) {
      const key = JSON.stringify([scenario, client, request]);
      const row = rows.get(key) ?? {scenario, client, request, outcomes: []};
      row.outcomes.push(`${outcome} (${number.format(count)})`);
      rows.set(key, row);
    }
  return [...rows.values()].map((row) => element('tr', {},
    element('th', {scope: 'row'}, outside(move.name),
      element('span.small', {}, 'from ', outside(phases[move.from].name))),
    element('td', {}, outside(row.scenario)), element('td', {}, outside(row.client)),
    element('td', {}, outside(row.request)), element('td', {}, outside(row.outcomes.join('; ')))));
}

function requestPanel(rollout) {
  const rows = rollout.moves.filter((move) => move.variant !== '')
    .flatMap((move) => requestRows(rollout, move));
  return rows.length === 0 ? null :
    rolloutTable('Requests', ['While', 'Traffic', 'Who', 'Request', 'Came to'], rows);
}

function rolloutPanels() {
  const {rollout} = result, {moves} = rollout;
  const pairs = moves.filter((move, index) => index % 2 === 0)
    .map((there, index) => moveRow(rollout, there, moves[2 * index + 1]));
  return element('div.rollout-panels', {},
    element('p.about', {}, element('strong', {}, outside(rollout.name)), ': ',
      outside(rollout.about)),
    rolloutTable('Orders', ['Order', 'Way', 'Found'],
      rollout.orders.map((order) => orderRow(rollout, order))),
    rolloutTable('Phases', ['Phase', 'Found', 'Runs'], rollout.phases.map(phaseRow)),
    rolloutTable('Moves', ['Move', 'There', 'Back', 'Runs'], pairs),
    requestPanel(rollout));
}
