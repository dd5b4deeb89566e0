// overview.js - the first page: how it went, what was explored, and every result with its
// violations.
'use strict';

const STANDINGS = {
  expected: ['as expected', '✓'],
  unexpected: ['not as expected', '✗'],
  inconclusive: ['inconclusive', '?'],
  error: ['error', '!'],
};

const RESULT_FILTERS = {
  all: ['All', () => true],
  attention: ['Not as expected', (one) => standing(one) !== 'expected'],
  violated: ['Violated', (one) => one.violations.length > 0],
  holds: ['Holds', (one) => one.verdict === 'holds'],
};

class Overview {
  constructor() {
    this.filter = 'all';
    this.query = '';
    this.list = element('div.results');
    this.found = element('p.found', {'aria-live': 'polite'});
    this.root = element('article.overview', {'aria-labelledby': 'overview-title'},
      this.hero(), this.cut(), this.controlled(), result.rollout ? rolloutPanels() : matrixPanels(),
      this.filters(), this.list);
    this.groups = this.group();
    this.list.replaceChildren(...this.groups.map((one) => one.box));
  }

  hero() {
    const {summary} = result;
    const all = summary.scenarios, well = summary.as_expected === all;
    const title = all === 0 ? 'Nothing was run'
      : well ? `${all === 1 ? 'The one result is' : `All ${number.format(all)} results are`} as ` +
        'expected' : `${number.format(all - summary.as_expected)} of ${count(all, 'result')} ` +
        `${all - summary.as_expected === 1 ? 'is' : 'are'} not as expected`;
    return element(`header.hero.${well ? 'well' : 'ill'}`, {},
      element('h1', {id: 'overview-title'}, title), this.bar(summary), this.totals());
  }

  bar(summary) {
    const parts = [['expected', summary.as_expected], ['unexpected', summary.unexpected],
      ['inconclusive', summary.inconclusive], ['error', summary.errors]];
    const drawn = parts.filter(([, amount]) => amount > 0).map(([kind, amount]) => {
      const part = element(`span.bar-${kind}`);
      part.style.flexGrow = amount;
      return part;
    });
    return element('div.bar-box', {}, element('div.bar', {'aria-hidden': 'true'}, drawn),
      element('p.bar-words', {}, parts.filter(([, amount]) => amount > 0).map(([kind, amount]) =>
        element(`span.legend.legend-${kind}`, {}, `${number.format(amount)} ` +
          `${STANDINGS[kind][0]}`))));
  }

  totals() {
    const sum = (key) => result.results.reduce((total, one) => total + one[key], 0);
    const scenarios = new Set(result.results.map((one) => `${one.file}\n${one.scenario}`)).size;
    const exhausted = result.results.filter((one) => one.exhausted).length;
    return element('dl.totals', {},
      fact('Scenarios', number.format(scenarios)),
      fact('Runs', number.format(sum('runs'))),
      fact('Steps', number.format(sum('steps'))),
      fact('All schedules tried', `${number.format(exhausted)} of ` +
        `${number.format(result.results.length)}`),
      fact('Violations', number.format(violations.length)),
      fact('Time', seconds(result.seconds)));
  }

  cut() {
    const {cut} = result;
    if (!cut)
      return null;
    const left = {
      run: violations.flatMap(({runs}) => runs).filter(({timeline}) => timeline.left_out).length,
      violation: result.results.reduce((sum, one) =>
        sum + one.violation_count - one.violations.length, 0),
      result: cut.results_in_all - result.results.length,
    };
    const words = [`no text is longer than ${count(cut.text, 'byte')}`,
      left.run > 0 ? `of ${count(left.run, 'run')} the first ${count(cut.steps, 'step')} are here`
        : '', ...['violation', 'result'].map((one) => left[one] > 0
        ? `${count(left[one], one)} ${left[one] === 1 ? 'is' : 'are'} left out` : '')];
    return element('p.note', {role: 'note'}, 'This page was cut to keep to its size: ' +
      `${words.filter(Boolean).join(', ')}. The result that --json wrote has all of it.`);
  }

  controlled() {
    const lacking = Object.entries(result.controlled).filter(([, is]) => !is).map(([key]) => key);
    return lacking.length === 0 ? null : element('p.note', {role: 'note'},
      `Not controlled here: ${lacking.join(', ')}.`);
  }

  filters() {
    const buttons = Object.entries(RESULT_FILTERS).map(([key, [words, wants]]) => {
      const button = element('button', {type: 'button', 'aria-pressed': String(key === 'all')},
        words, element('span.amount', {}, number.format(result.results.filter(wants).length)));
      button.addEventListener('click', () => {
        for (const other of buttons)
          other.setAttribute('aria-pressed', String(other === button));
        this.filter = key;
        this.apply();
      });
      return button;
    });
    return element('div.run-tools', {}, element('div.filters', {role: 'group',
      'aria-label': 'Results that are shown'}, buttons), this.found);
  }

  // --- the results

  // Those with results that are not as expected come first.
  group() {
    const groups = [];
    for (const one of result.results) {
      const last = groups[groups.length - 1];
      if (last && last.name === one.scenario && last.file === one.file)
        last.results.push(one);
      else
        groups.push({name: one.scenario, file: one.file, results: [one]});
    }
    const well = (group) => group.results.every((one) => standing(one) === 'expected');
    return [...groups.filter((group) => !well(group)), ...groups.filter(well)]
      .map((group, index) => this.groupBox(group, index));
  }

  groupBox(group, index) {
    const rows = group.results.map((one) => [one, this.row(one)]);
    const [first] = group.results;
    const box = element('section.group', {'aria-labelledby': `group-${index}`},
      element('div.group-head', {}, element('h2', {id: `group-${index}`}, outside(group.name)),
        element('p.about', {}, outside(first.about || ''))),
      element('ul.rows-of', {}, rows.map(([, row]) => row)));
    return {box, rows};
  }

  row(one) {
    const kind = standing(one), [words, sign] = STANDINGS[kind];
    return element(`li.result.is-${kind}`, {},
      element('span.standing', {}, element('span.sign', {'aria-hidden': 'true'}, sign),
        element('span.visually-hidden', {}, words)),
      element('div.result-name', {}, element('strong', {}, outside(one.variant)),
        one.as_expected ? null
          : element('span.expected-word', {}, 'expected: ', outside(one.expected))),
      element('div.result-verdict', {}, chip(this.verdictKind(one), one.verdict)),
      this.explored(one),
      element('div.result-time', {}, seconds(one.seconds.total)),
      this.found_(one), this.remarks(one));
  }

  verdictKind(one) {
    if (one.verdict === 'violated')
      return one.as_expected ? 'also' : 'unexpected';
    return {holds: one.as_expected ? 'expected' : 'unexpected'}[one.verdict] || 'warn';
  }

  explored(one) {
    const words = one.exhausted ? 'all tried'
      : one.estimated_runs ? `of about ${number.format(Math.round(one.estimated_runs))}` : '';
    return element('div.result-explored', {}, count(one.runs, 'run'), words ? ` (${words})` : '',
      element('span.small', {}, [one.strategy, `${count(one.classes, 'class', 'classes')}`,
        `${count(one.outcomes, 'outcome')}`].filter(Boolean).map(visible).join(' · ')),
      one.claim ? element('span.small.claim', {}, outside(one.claim)) : null);
  }

  found_(one) {
    if (one.violations.length === 0)
      return null;
    const hidden = one.violation_count - one.violations.length;
    return element('ul.found-list', {'aria-label': 'Violations'}, one.violations.map((violation) =>
      element('li', {}, element('a', {href: `#v${violation.number}`},
        outside(violation.invariant)))),
    hidden > 0 ? element('li.small', {}, `${number.format(hidden)} left out`) : null);
  }

  remarks(one) {
    const texts = [one.reason, ...one.warnings].filter(Boolean);
    return texts.length === 0 ? null : element('ul.remarks', {}, texts.map((text) =>
      element('li', {}, outside(text))));
  }

  // --- which of them

  search(query) {
    this.query = query.toLowerCase();
    this.apply();
  }

  has(one) {
    const texts = [one.scenario, one.variant, one.about, one.verdict, one.expected, one.reason,
      ...one.violations.flatMap((violation) => [violation.invariant, violation.why])];
    return this.query === '' || texts.join('\n').toLowerCase().includes(this.query);
  }

  apply() {
    const [, wants] = RESULT_FILTERS[this.filter];
    let shown = 0;
    for (const {box, rows} of this.groups) {
      let here = 0;
      for (const [one, row] of rows) {
        row.hidden = !(wants(one) && this.has(one));
        here += row.hidden ? 0 : 1;
      }
      box.hidden = here === 0;
      shown += here;
    }
    this.found.textContent = this.query === '' && this.filter === 'all' ? ''
      : count(shown, 'result');
  }
}
