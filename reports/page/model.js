// model.js - what the page shows, out of the result: violations with their runs, and for each step
// of a run who waits while it is made, who starts to and who stops.
'use strict';

const result = JSON.parse(document.getElementById('data').textContent);

// A violation's runs by the names that links have for them: '' is the one that is shown first.
function runsOf(violation, list) {
  const own = typeof violation.timeline === 'number'
    ? list[violation.timeline].timeline : violation.timeline;
  const small = violation.shrunk && violation.shrunk.timeline;
  const runs = [];
  if (small)
    runs.push({key: '', name: 'Made small', timeline: small, replay: violation.shrunk.replay});
  if (own)
    runs.push({key: small ? 'found' : '', name: 'As found', timeline: own,
      replay: violation.replay});
  return runs;
}

const violations = [];

result.results.forEach((one, index) => {
  one.index = index;
  one.numbers = [];
  one.violations.forEach((violation) => {
    violation.number = violations.length + 1;
    violation.result = one;
    violation.runs = runsOf(violation, one.violations);
    one.numbers.push(violation.number);
    violations.push(violation);
  });
});

function standing(one) {
  if (one.verdict === 'error')
    return 'error';
  if (one.verdict === 'inconclusive')
    return 'inconclusive';
  return one.as_expected ? 'expected' : 'unexpected';
}

// The clients that do or are told anything in the run; those who were taken out of it do not.
function partakers(timeline) {
  const taking = new Set();
  for (const step of timeline.steps) {
    [step.client, ...step.blocked || [], ...step.holders || [], ...step.gated || [],
      ...step.ended.map((ended) => ended.client),
      ...(step.notes || []).map((note) => note.client)].forEach((client) => taking.add(client));
  }
  const all = timeline.clients.map((_, client) => client);
  return taking.size > 0 ? all.filter((client) => taking.has(client)) : all;
}

// For each step the clients that wait through it, whose wait starts in it, and ends in it.
function waitsOf(timeline) {
  let before = [];
  return timeline.steps.map((step) => {
    const after = step.blocked || [];
    const waits = {
      through: before.filter((client) => after.includes(client)),
      starts: after.filter((client) => !before.includes(client)),
      ends: before.filter((client) => !after.includes(client)),
    };
    before = after;
    return waits;
  });
}

function isError(ended) {
  return ended.status !== 'done' ||
    (ended.sqlstate !== undefined && ended.sqlstate !== '' && ended.sqlstate !== '00000');
}

// That they are done goes without saying.
const ROWLESS = ['begin', 'commit', 'rollback', 'call', 'clock', 'wait'];

// What an operation came to, in a few words; of which kind it was, where that is known.
function outcome(ended, kind = '') {
  if (ended.status !== 'done')
    return ended.status;
  if (!isError(ended) && ROWLESS.includes(kind))
    return '';
  if (!ended.sqlstate)
    return 'done';
  if (ended.sqlstate === '00000')
    return count(ended.rows, 'row');
  return `error ${ended.sqlstate}${ended.message ? `: ${ended.message}` : ''}`;
}

function notesOf(step, kind) {
  return (step.notes || []).filter((note) => note.kind === kind);
}

// The content of a note, {} where it is no object.
function dataOf(note) {
  try {
    const data = JSON.parse(note.data);
    return data && typeof data === 'object' ? data : {};
  } catch {
    return {};
  }
}

// A value in a note, for reading.
function valueText(value) {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function noteText(note) {
  const data = dataOf(note);
  if (note.kind === 'clock' && Number.isFinite(data.at_us) && Math.abs(data.at_us) < 8.64e18)
    return new Date(data.at_us / 1000).toISOString().replace('T', ' ').replace(/\.000Z$/, ' UTC');
  return Object.entries(data).map(([key, value]) => `${key}: ${valueText(value)}`).join(', ') ||
    (note.data === '{}' ? '' : note.data);
}

// What filters of a run ask a step for.
const FILTERS = {
  all: ['All steps', () => true],
  waits: ['Waits', (step, waits) => waits.starts.length + waits.ends.length > 0],
  errors: ['Errors', (step) => step.ended.some(isError)],
  ends: ['Commits', (step) => step.kind === 'commit' || step.kind === 'rollback'],
  faults: ['Faults and clock', (step) => step.kind === 'kill' || step.kind === 'clock' ||
    notesOf(step, 'fault').length + notesOf(step, 'clock').length > 0],
};

// All that can be searched in a step, in small letters.
function searchable(timeline, step) {
  return [timeline.clients[step.client], step.kind, step.text, step.params || '',
    ...step.ended.map((ended) => outcome(ended)),
    ...(step.notes || []).map((note) => `${note.kind} ${note.data}`)].join('\n').toLowerCase();
}
