// violation.js - the page of one violation: what was broken and by which rows, why, how to see it
// again, what cures it, and its run.
'use strict';

function linkTo(violation, key, step) {
  return `#v${violation.number}${key ? `/${key}` : ''}${step === undefined ? '' : `/s${step + 1}`}`;
}

function fact(name, value) {
  return element('div.fact', {}, element('dt', {}, name), element('dd', {}, value));
}

class ViolationView {
  constructor(violation, onSelect) {
    this.violation = violation;
    this.onSelect = onSelect;
    this.timelines = [];
    this.box = element('div.run-box');
    this.root = element('article.violation', {'aria-labelledby': 'violation-title'},
      this.heading(), element('div.panels', {}, this.rowsPanel(), this.replayPanel()),
      this.explanation(), this.runPanel(), this.cures());
  }

  close() {
    this.timelines.forEach((timeline) => timeline.close());
    this.timelines = [];
  }

  // --- what and how large

  heading() {
    const one = this.violation.result;
    const expected = one.expected === `violates ${this.violation.invariant}`;
    return element('header.violation-head', {}, this.crumbs(),
      element('h1', {id: 'violation-title'}, outside(this.violation.invariant)),
      element('p.where', {},
        expected ? chip('expected', 'violated, as expected', '✓')
          : chip(one.as_expected ? 'also' : 'unexpected', 'violated', '✗'),
        outside(one.scenario), element('span.sep', {'aria-hidden': 'true'}, '/'),
        outside(one.variant)),
      one.about ? element('p.about', {}, outside(one.about)) : null,
      this.numbers());
  }

  crumbs() {
    const to = (number, words, key) => violations[number - 1]
      ? element('a', {href: linkTo(violations[number - 1]), 'aria-keyshortcuts': key}, words)
      : element('span.off', {}, words);
    return element('nav.crumbs', {'aria-label': 'Violations'},
      element('a', {href: '#'}, '← Overview'),
      element('span.place', {}, `${this.violation.number} of ${violations.length}`),
      to(this.violation.number - 1, '‹ Previous', 'p'),
      to(this.violation.number + 1, 'Next ›', 'n'));
  }

  numbers() {
    const {violation} = this, {shrunk} = violation;
    return element('dl.numbers', {},
      fact('Found in run', number.format(violation.run)),
      fact('Steps', this.smaller(violation.steps, shrunk && shrunk.steps)),
      fact('Clients', this.smaller(violation.clients, shrunk && shrunk.clients)),
      fact('Preemptions', this.smaller(violation.preemptions, shrunk && shrunk.preemptions)),
      fact('Faults', this.smaller(violation.faults, shrunk && shrunk.faults)),
      fact('Replays the same', visible(violation.replays)),
      shrunk ? fact('Made small in', `${count(shrunk.runs, 'run')}` +
        `${shrunk.complete ? '' : ', not to the end'}`) : null,
      shrunk && shrunk.left_out ? fact('Without', visible(shrunk.left_out)) : null);
  }

  smaller(from, to) {
    return to === null || to === undefined || to === from ? number.format(from)
      : [element('s', {}, number.format(from)), ' → ', element('strong', {}, number.format(to))];
  }

  rowsPanel() {
    return this.violation.why ? element('section.panel.rows-panel', {},
      element('h2', {}, 'The rows that violate it'), block(this.violation.why.trim())) : null;
  }

  // --- why

  stepLink(step) {
    const shown = this.violation.runs[0];
    if (!shown || step >= shown.timeline.steps.length)
      return `step ${step + 1}`;
    const client = shown.timeline.clients[shown.timeline.steps[step].client];
    return element('a', {href: linkTo(this.violation, '', step)}, `step ${step + 1}`, ' (',
      outside(client), ')');
  }

  explanation() {
    const {explanation} = this.violation;
    if (!explanation)
      return null;
    return element('section.panel.why', {}, element('h2', {}, 'Why'),
      explanation.anomaly ? element('p.anomaly', {}, chip('conflict',
        outside(explanation.anomaly))) : null,
      element('p.sentence', {}, outside(explanation.sentence)),
      explanation.conflict.length === 0 ? null : element('p', {}, 'In conflict: ',
        this.stepLink(explanation.conflict[0]), ' and ', this.stepLink(explanation.conflict[1]),
        '.'),
      explanation.edges.length === 0 ? null : element('ol.edges', {},
        explanation.edges.map((edge) => element('li', {}, this.stepLink(edge.from), ' ',
          chip('edge', outside(edge.kind)), ' ', this.stepLink(edge.to), ': ',
          outside(edge.because)))));
  }

  // --- what cures it

  cures() {
    const {cures} = this.violation;
    if (!cures || cures.length === 0)
      return null;
    return element('section.panel.cures', {}, element('h2', {}, 'Cures that were tried'),
      element('ul.cure-list', {}, cures.map((cure, index) => this.cure(cure, index))));
  }

  cure(cure, index) {
    const kind = {'cured': 'expected', 'not cured': 'unexpected'}[cure.verdict] || 'warn';
    const sign = {'cured': '✓', 'not cured': '✗'}[cure.verdict] || '!';
    return element('li.cure', {},
      element('div.cure-head', {}, element('h3', {}, outside(cure.name)),
        chip(kind, outside(cure.verdict), sign)),
      element('p', {}, outside(cure.what)), block(cure.change),
      cure.why ? element('p.cure-why', {}, outside(cure.why)) : null,
      element('dl.numbers', {}, fact('The same schedule', outside(cure.on_schedule)),
        fact('An exploration', outside(cure.in_exploration)),
        fact('Runs', number.format(cure.runs))),
      element('div.actions', {}, copyButton(`the change of ${visible(cure.name)}`, cure.change),
        cure.neighbour ? element('a.button', {href: linkTo(this.violation, `c${index + 1}`)},
          'Compare the runs') : null));
  }

  // --- the run

  runPanel() {
    if (this.violation.runs.length === 0)
      return element('section.panel', {}, element('h2', {}, 'The run'),
        this.violation.trace ? block(this.violation.trace) : element('p', {}, 'It was not kept.'));
    this.tabs = element('div.tabs');
    this.filters = this.filterBar();
    this.found = element('p.found', {'aria-live': 'polite'});
    return element('section.run', {}, element('div.run-head', {}, element('h2', {}, 'The run'),
      this.tabs), element('div.run-tools', {}, this.filters, this.found), this.box);
  }

  filterBar() {
    const buttons = Object.entries(FILTERS).map(([key, [words]]) => {
      const button = element('button', {type: 'button', 'aria-pressed': String(key === 'all')},
        words);
      button.addEventListener('click', () => {
        for (const other of buttons)
          other.setAttribute('aria-pressed', String(other === button));
        this.timelines.forEach((timeline) => timeline.setFilter(key));
        this.search(this.query || '');
      });
      return button;
    });
    return element('div.filters', {role: 'group', 'aria-label': 'Steps that are shown'}, buttons);
  }

  // The names of what can be drawn: its runs, and the first one beside each cure's.
  choices() {
    const cures = (this.violation.cures || []).flatMap((cure, index) => cure.neighbour
      ? [{key: `c${index + 1}`, name: `Beside: ${line(cure.name, 40)}`, cure}] : []);
    return [...this.violation.runs, ...cures];
  }

  draw(key) {
    if (this.key === key || this.violation.runs.length === 0)
      return;
    const choices = this.choices();
    const chosen = choices.find((choice) => choice.key === key) || choices[0];
    this.close();
    this.key = key;
    this.tabs.replaceChildren(...(choices.length < 2 ? [] : choices.map((choice) =>
      element('a', {href: linkTo(this.violation, choice.key),
        'aria-current': choice === chosen ? 'true' : null}, choice.name))));
    this.box.classList.toggle('beside-each-other', Boolean(chosen.cure));
    this.box.replaceChildren(...(chosen.cure ? this.compared(chosen)
      : this.drawn(chosen).filter(Boolean)));
    this.search(this.query || '');
  }

  timeline(run, options) {
    const timeline = new Timeline(run, {prefix: linkTo(this.violation, options.key),
      onSelect: (index) => this.onSelect(timeline, index), ...options});
    this.timelines.push(timeline);
    return timeline.root;
  }

  conflictFor(timeline) {
    const {explanation} = this.violation;
    return explanation && explanation.conflict.length > 0 &&
      timeline === this.violation.runs[0].timeline ? explanation.conflict : null;
  }

  drawn(run) {
    return [this.cut(run), this.timeline(run.timeline, {key: run.key, label: `Run: ${run.name}`,
      conflict: this.conflictFor(run.timeline), other: null, broken: this.violation})];
  }

  // How much of the run the page had no room for, and where all of it is.
  cut({timeline, replay}) {
    const shown = timeline.steps.length;
    if (!timeline.left_out)
      return null;
    return element('div.note.run-cut', {role: 'note'}, element('p', {}, 'Cut, so that this page ' +
      `keeps to its size: the first ${number.format(shown)} of ` +
      `${count(shown + timeline.left_out, 'step')} are here. The result that --json wrote has ` +
      `all of them${replay ? ', and this command makes the run again:' : '.'}`),
    replay ? this.copied('the command of this run', replay) : null);
  }

  compared({key, cure}) {
    const [broken] = this.violation.runs;
    return [
      element('div.side', {}, element('h3', {}, chip('unexpected', 'violated', '✗'),
        'Without the cure'),
      this.timeline(broken.timeline, {key, label: 'Run without the cure',
        conflict: this.conflictFor(broken.timeline), other: cure.neighbour,
        broken: this.violation})),
      element('div.side', {}, element('h3', {},
        cure.on_schedule === 'holds' ? chip('expected', 'holds', '✓')
          : chip('warn', outside(cure.on_schedule), '!'),
        outside(cure.name)),
      this.timeline(cure.neighbour, {key: `${key}n`, label: 'The same schedule with the cure',
        conflict: null, other: broken.timeline, broken: null})),
    ];
  }

  // --- searching and moving

  showRun() {
    const run = this.root.querySelector('.run');
    if (run)
      run.scrollIntoView({block: 'start'});
  }

  search(query) {
    this.query = query;
    if (!this.found)
      return;
    const matches = this.timelines.map((timeline) => timeline.setQuery(query));
    this.found.textContent = query === '' ? ''
      : `${count(matches[0] || 0, 'step')} with “${line(query, 40)}”`;
  }

  get first() {
    return this.timelines[0];
  }

  // --- how to see it again

  replayPanel() {
    const {shrunk} = this.violation;
    const best = shrunk && this.violation.shrunk_token ? shrunk : this.violation;
    if (!best.replay)
      return null;
    const token = best === shrunk ? this.violation.shrunk_token : this.violation.token;
    return element('section.panel.replay', {}, element('h2', {}, 'See it again'),
      this.copied('the command', best.replay), this.copied('the token', token),
      best === shrunk ? element('details', {}, element('summary', {}, 'As it was found'),
        this.copied('the command as found', this.violation.replay),
        this.copied('the token as found', this.violation.token)) : null);
  }

  copied(what, text) {
    return element('div.copied', {},
      element('span.copied-what', {}, what.replace(/^the | of this run$/g, '')),
      element('code', {tabIndex: 0}, visible(text)), copyButton(what, text));
  }
}
