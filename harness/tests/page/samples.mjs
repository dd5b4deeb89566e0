// samples.mjs - results as "overbook run --json" writes them, for the tests of the page.

const controlled = {deadlock: true, wake: true, clock: true, now: true, gates: true, steps: true,
  footprints: true};

function done(client, rows = 0) {
  return {client, status: 'done', sqlstate: '00000', rows};
}

function failed(client, sqlstate, message) {
  return {client, status: 'done', sqlstate, message, rows: 0};
}

const slot = "$1 = '1', $2 = '[2026-06-01 10:00,2026-06-01 11:00)'";
const look = 'SELECT count(*)\n  FROM booking\n WHERE simulator_id = $1 AND during && $2';
const insert = 'INSERT INTO booking (simulator_id, during, customer) VALUES ($1, $2, $3)';

// Two look, both insert, the second one waits for the first; last says what that comes to.
function race(last) {
  return [
    {client: 0, kind: 'begin', text: 'BEGIN', ended: [done(0)]},
    {client: 1, kind: 'begin', text: 'BEGIN', ended: [done(1)]},
    {client: 0, kind: 'sql', text: look, params: slot, ended: [done(0, 1)]},
    {client: 1, kind: 'sql', text: look, params: slot, ended: [done(1, 1)]},
    {client: 0, kind: 'sql', text: insert, params: `${slot}, $3 = 'alice'`, ended: [done(0, 1)]},
    {client: 1, kind: 'sql', text: insert, params: `${slot}, $3 = 'bob'`, blocked: [1],
      holders: [0], ended: []},
    {client: 2, kind: 'sql', text: "UPDATE hold SET status = 'EXPIRED' WHERE expires_at < now()",
      blocked: [1], ended: [done(2, 3)],
      notes: [{kind: 'clock', data: '{"at_us": 1780315200000000}'}]},
    {client: 0, kind: 'commit', text: 'COMMIT', woken: [1], ended: [done(0), last],
      notes: [{client: 0, kind: 'answer', data: '{"status": "ok", "booking": 1}'}]},
    {client: 1, kind: last.message ? 'rollback' : 'commit',
      text: last.message ? 'ROLLBACK' : 'COMMIT', ended: [done(1)],
      notes: [{client: 1, kind: 'fault', data: '{"point": "commit/ack-lost", "way": 1}'}]},
  ];
}

const clients = ['alice', 'bob', 'cleanup'];

function timeline(steps, names = clients) {
  return {clients: names, steps, end: 'finished', reason: ''};
}

function violation(more) {
  return {invariant: 'no-overlap', run: 17, token: 'ob1-AAEC_wQFBg', shrunk_token: '',
    clients: 3, faults: 1, steps: 9, preemptions: 2, replays: '10/10',
    why: 'booking 2 of bob overlaps booking 1 of alice on simulator 1: 2026-06-01 10:30 to ' +
      '11:30, 2026-06-01 10:00 to 11:00',
    trace: '  1 alice      begin\n', replay: 'overbook replay ob1-AAEC_wQFBg', timeline: null,
    shrunk: null, explanation: null, cures: [], ...more};
}

function line(more) {
  return {scenario: 'two-holds-one-slot', file: 'scenarios/two-holds.yaml', hash: '',
    variant: 'fixed', expected: 'holds', verdict: 'holds', as_expected: true, reason: '',
    warnings: [], strategy: 'dpor', runs: 1204, uncontrolled_runs: 0, steps: 14220,
    exhausted: true, reduced: true, estimated_runs: null, classes: 1204, outcomes: 3, unseen: null,
    claim: 'every order of steps that can matter to each other was run', violations: [],
    seconds: {total: 12.04, reset: 2.2, settle: 1.1, check: 0.9}, target: 'reference',
    about: 'Two customers want the same bay at the same hour.', ...more};
}

function whole(results) {
  const counts = {scenarios: results.length, as_expected: 0, unexpected: 0, inconclusive: 0,
    errors: 0};
  for (const one of results) {
    if (one.verdict === 'error')
      counts.errors++;
    else if (one.verdict === 'inconclusive')
      counts.inconclusive++;
    else if (one.as_expected)
      counts.as_expected++;
    else
      counts.unexpected++;
  }
  return {overbook: '0.1.0', postgres: '15.18', seed: 1, controlled, results, summary: counts};
}

const cures = [
  {name: 'exclusion constraint', what: 'Let the server refuse a booking that overlaps another one.',
    change: 'ALTER TABLE booking ADD CONSTRAINT booking_no_overlap\n' +
      '  EXCLUDE USING gist (simulator_id WITH =, during WITH &&);',
    on_schedule: 'holds', in_exploration: 'holds', verdict: 'cured', runs: 1204,
    neighbour: timeline(race(failed(1, '23P01',
      'conflicting key value violates exclusion constraint "booking_no_overlap"')))},
  {name: 'repeatable read', what: 'Let each transaction see one snapshot.',
    change: "SET default_transaction_isolation = 'repeatable read';", on_schedule: 'violated',
    in_exploration: 'violated', verdict: 'not cured', runs: 3, neighbour: null},
  {name: 'lock the rows', what: 'Lock the bookings that are counted.',
    change: 'SELECT id FROM booking WHERE … FOR UPDATE', on_schedule: 'holds',
    in_exploration: 'deadlocks', verdict: 'cured but deadlocks', runs: 80, neighbour: null},
];

// As a report is after everything was tried: found, made small, explained, cured.
export function usual() {
  const padding = [0, 2, 2, 1].map((client) => ({client, kind: 'sql', text: 'SELECT 1',
    ended: [done(client, 1)]}));
  const full = violation({
    steps: 13, shrunk_token: 'ob1-AAECAw', timeline: timeline([...padding, ...race(done(1, 1))]),
    shrunk: {replay: 'overbook replay ob1-AAECAw', clients: 3, faults: 1, steps: 9, preemptions: 1,
      replays: '10/10', runs: 23, complete: true, left_out: '',
      timeline: timeline(race(done(1, 1)))},
    explanation: {anomaly: 'write skew', sentence: 'Both counted the bookings of the slot before ' +
      "either had written one, so neither saw the other's.", conflict: [3, 4],
    edges: [{from: 2, to: 7, kind: 'rw', because: "alice counted before bob's booking was there"},
      {from: 3, to: 4, kind: 'rw', because: "bob counted before alice's booking was there"}]},
    cures,
  });
  const legacy = line({variant: 'legacy', expected: 'violates no-overlap', verdict: 'violated',
    strategy: 'portfolio', runs: 17, steps: 301, exhausted: false, reduced: false, classes: 9,
    outcomes: 4, claim: '', estimated_runs: 34650,
    violations: [full, violation({invariant: 'one-booking-each', timeline: 0,
      why: 'alice has 1 booking\nbob has 1 booking'})]});
  const refund = {scenario: 'refund-against-cancel', file: 'scenarios/refund.yaml',
    about: 'A customer gives the booking up while the payment is being captured; the money must ' +
      'come back exactly once.', exhausted: false, claim: ''};
  return whole([legacy, line({}),
    line({...refund, variant: 'serializable', as_expected: false, verdict: 'violated',
      reason: 'expected to hold, but money-conserved was broken',
      violations: [violation({invariant: 'money-conserved', token: '', replay: '',
        why: 'payment pay_1: captured 9000 EUR, refunded 18000 EUR'})]}),
    line({...refund, variant: 'replayed', as_expected: false, verdict: 'inconclusive',
      reason: 'run 3: took too long', claim: ''}),
    line({...refund, variant: 'broken', as_expected: false, verdict: 'error', runs: 0, steps: 0,
      reason: 'the server went away', strategy: '',
      warnings: ['client bob: "SELECT 1/0" failed each time: 22012: division by zero']}),
  ]);
}

const LEVELS = ['read committed', 'repeatable read', 'serializable'];

const cell = (cure, level, verdict, more) => ({cure, level, setting: '', retries: false, verdict,
  breaks: '', claim: '', why: '', on_schedule: 'holds', in_exploration: 'holds', runs: 40,
  trace: '', ...more});

// What a variant that breaks comes to with a cure and without one.
export function crossed() {
  return whole([line({variant: 'legacy', verdict: 'violated', expected: 'violates no-overlap',
    exhausted: false, claim: '', violations: [violation({})], matrix: {
      invariant: 'no-overlap', levels: LEVELS, settings: ['', 'enable_seqscan=on'],
      cures: [{name: 'no cure', what: 'Everything stays as it is.', change: ''},
        {name: 'unique constraint', what: 'The database refuses the second of two such rows.',
          change: 'CREATE UNIQUE INDEX ON booking (slot)'}],
      cells: [
        cell('no cure', LEVELS[0], 'breaks', {breaks: 'no-overlap', trace: '1 alice BEGIN\n'}),
        cell('no cure', LEVELS[1], 'gives up'),
        cell('no cure', LEVELS[1], 'holds', {retries: true}),
        cell('no cure', LEVELS[2], 'breaks another', {breaks: 'liveness'}),
        cell('unique constraint', LEVELS[0], 'holds', {claim: 'all that matter'}),
        cell('unique constraint', LEVELS[1], 'deadlocks'),
        cell('unique constraint', LEVELS[2], 'not applied', {runs: 0, why: 'no such column'}),
        cell('no cure', LEVELS[0], 'holds', {setting: 'enable_seqscan=on'})]}})]);
}

// A deployment: three phases, the moves there and back, and the orders to make them in.
export function rolledOut() {
  const phase = (name, more) => ({name, broken: [], undecided: null, runs: 24, ...more});
  const move = (name, from, to, more) => ({...phase(name), from, to, variant: '', refused: 0,
    safe: true, reason: '', ...more});
  const unsafe = {safe: false, reason: 'after it no-overlap is broken, which it was not before'};
  return {...whole([line({variant: 'mixed', verdict: 'violated', expected: 'violates no-overlap',
    exhausted: false, claim: '', violations: [violation({})]}),
  line({variant: 'while', requests: [
    {client: 'alice', request: 'hold', when: 'while', outcome: 'held', count: 20},
    {client: 'alice', request: 'hold', when: 'while', outcome: 'refused', count: 4}]})]),
  rollout: {name: 'constraint', about: 'The constraint comes while they book.',
    phases: [phase('schema 6, old code'),
      phase('schema 7, old and new code', {broken: ['no-overlap'], result: 0, violation: 0}),
      phase('schema 7, new code', {undecided: 'the server went away', runs: 3})],
    moves: [move('deploy new', 0, 1, {...unsafe, broken: ['no-overlap'], result: 0, violation: 0}),
      move('deploy old', 1, 0),
      move('migrate to 7', 1, 2, {variant: 'while', refused: 4}), move('migrate to 6', 2, 1)],
    orders: [{name: 'constraint-first', about: 'One worker still runs the old code.',
      expected: 'unsafe', safe: false, undecided: false, phases: [0, 1], reason: unsafe.reason},
    {name: 'code-first', about: '', expected: 'safe', safe: false, undecided: true,
      phases: [0, 1, 2], reason: 'the server went away'}]}};
}

export const evil = '</script><script>window.pwned = 1</script>"\'`&amp;<img src=x onerror=' +
  '"window.pwned = 1"> \u0001\u001b[31m \u007f \u009b \u202etxt.exe\u202c \u2028\u2029 <!-- ]]> ' +
  '${window.pwned = 1} \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627';

// Everything that comes from outside is evil, and one statement has a megabyte.
export function hostile() {
  const names = [`a${evil}`, `b${evil}`];
  const large = `SELECT '${'x'.repeat(1 << 20)}'`;
  const steps = [
    {client: 0, kind: 'sql', text: evil, params: evil, ended: [done(0, 1)],
      notes: [{client: 0, kind: evil, data: evil},
        {client: 1, kind: 'answer', data: JSON.stringify({[evil]: evil})},
        {kind: 'clock', data: '{"at_us": 1e300}'}]},
    {client: 1, kind: 'sql', text: large, blocked: [1], holders: [0], ended: []},
    {client: 0, kind: evil, text: evil, woken: [1], ended: [done(0), failed(1, '40001', evil)]},
  ];
  return whole([line({scenario: evil, file: evil, variant: evil, about: evil, reason: evil,
    warnings: [evil], claim: evil, strategy: evil, verdict: 'violated', as_expected: false,
    expected: evil, violations: [violation({invariant: evil, why: evil, token: evil, replay: evil,
      trace: evil, timeline: timeline(steps, names),
      explanation: {anomaly: evil, sentence: evil, conflict: [0, 2],
        edges: [{from: 0, to: 2, kind: evil, because: evil}]},
      cures: [{name: evil, what: evil, change: evil, on_schedule: evil, in_exploration: evil,
        verdict: evil, runs: 1, neighbour: timeline(steps.slice(0, 1), names)}]})],
    matrix: {invariant: evil, levels: [evil], settings: [evil],
      cures: [{name: evil, what: evil, change: evil}],
      cells: [cell(evil, evil, evil, {setting: evil, breaks: evil, claim: evil, why: evil,
        trace: evil})]}})]);
}

// So many steps of clients that look, and then queue up for one row: all but one of them wait.
export function long(count, clientCount = 3, text = '') {
  const names = Array.from({length: clientCount}, (_, index) => `client-${index + 1}`);
  const did = names.map(() => 0), queue = [], steps = [];
  const parts = [
    {kind: 'begin', text: 'BEGIN'},
    {kind: 'sql', text: `${look}${text}`, params: slot},
    {kind: 'sql', text: `UPDATE slot SET n = n + 1 WHERE id = $1${text}`, params: "$1 = '1'"},
    {kind: 'commit', text: 'COMMIT'},
  ];
  for (let client = 0; steps.length < count; client = (client + 1) % clientCount) {
    if (queue.indexOf(client) > 0)
      continue;
    const part = parts[did[client]++ % parts.length];
    const step = {client, ...part, ended: [done(client, part.kind === 'sql' ? 1 : 0)]};
    if (part === parts[2] && queue.push(client) > 1)
      Object.assign(step, {holders: [queue[0]], ended: []});
    if (part === parts[3] && queue.shift() !== undefined && queue.length > 0) {
      step.woken = [queue[0]];
      step.ended.push(done(queue[0], 1));
    }
    if (queue.length > 1)
      step.blocked = queue.slice(1).sort((a, b) => a - b);
    steps.push(step);
  }
  return whole([line({verdict: 'violated', as_expected: false, violations: [violation({
    steps: count, clients: clientCount, timeline: timeline(steps, names)})]})]);
}
