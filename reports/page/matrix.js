// matrix.js - matrices on the first page: what a variant that breaks comes to with each cure, and
// without one, at each isolation level and with each setting.
'use strict';

function matrixLook(cell) {
  if (!cell || cell.verdict === 'not applied')
    return ['blank', '–'];
  if (cell.verdict === 'holds')
    return ['well', '✓'];
  return cell.verdict.startsWith('breaks') ? ['ill', '✗'] : ['doubt', '!'];
}

function matrixWord(cell) {
  if (!cell)
    return 'not tried';
  return cell.verdict === 'holds' && cell.retries ? 'holds with retries' : cell.verdict;
}

// What a word leaves open.
function matrixMore(cell) {
  if (!cell)
    return null;
  const runs = cell.runs > 0 ? count(cell.runs, 'run') : '';
  const words = cell.verdict === 'holds' ? [cell.claim, runs].filter((one) => one).join(', ')
    : cell.verdict === 'breaks another' ? cell.breaks
    : cell.why || (cell.verdict === 'breaks' ? '' : runs);
  return [words && element('span.small', {}, outside(words)),
    cell.trace ? element('details', {}, element('summary', {}, 'a run'),
      element('pre', {}, outside(cell.trace))) : null];
}

function matrixCell(cell) {
  const [look, sign] = matrixLook(cell);
  return element('td', {}, element(`span.standing.${look}`, {},
    element('span.sign', {'aria-hidden': 'true'}, sign), ' ', outside(matrixWord(cell))),
  matrixMore(cell));
}

function matrixRow(matrix, cure, setting) {
  // One with retries comes after the one without.
  const at = (level) => matrix.cells.filter((cell) => cell.cure === cure.name &&
    cell.level === level && cell.setting === setting).pop();
  return element('tr', {}, element('th', {scope: 'row'}, outside(cure.name),
    element('span.small', {}, outside(cure.what)), cure.change
      ? element('details', {}, element('summary', {}, 'the change'),
        element('pre', {}, outside(cure.change))) : null),
  matrix.levels.map((level) => matrixCell(at(level))));
}

function matrixPanel(one, index) {
  const {matrix} = one, id = `matrix-${index}`;
  const violation = one.violations.find((other) => other.invariant === matrix.invariant);
  const tables = matrix.settings.map((setting) => [
    setting ? element('h3', {}, 'with ', outside(setting)) : null,
    table([element('th', {scope: 'col'}, 'Cure'),
      ...matrix.levels.map((level) => element('th', {scope: 'col'}, outside(level)))],
    matrix.cures.map((cure) => matrixRow(matrix, cure, setting)))]).flat();
  return element('section.panel.matrix', {'aria-labelledby': id},
    element('h2', {id}, outside(one.scenario), ', ', outside(one.variant)),
    element('p', {}, 'breaks ', violation
      ? element('a', {href: `#v${violation.number}`}, outside(matrix.invariant))
      : outside(matrix.invariant), '; what becomes of that:'),
    element('div.table-box', {tabindex: '0', role: 'group', 'aria-labelledby': id}, tables));
}

function matrixPanels() {
  const panels = result.results.filter((one) => one.matrix).map(matrixPanel);
  return panels.length > 0 ? element('div.matrix-panels', {}, panels) : null;
}
