// timeline.js - a run, drawn: a lane for each client, the steps in the order of the schedule.
//
// Steps are made in chunks, when they come near to what is seen; a chunk that is far away is empty
// again and keeps its height.  So a run of 10,000 steps costs what a screenful does.
'use strict';

const CHUNK = 60; // steps
const ALL_AT_ONCE = 240; // steps of which no chunk is ever emptied
const PRINTED = 10; // chunks; browsers give up printing many thousand steps
const LANE_REM = 15; // of a lane that holds its steps; narrower ones stand beside a list
const ROW_PX = 62; // about, of a step that has not been drawn yet

function inLane(made, lane) {
  made.style.setProperty('--at', lane);
  return made;
}

// Draws between two lanes, the head at the second one.
function arrow(kind, from, to) {
  const made = element(`span.arrow.${kind}.${to < from ? 'leftward' : 'rightward'}`);
  made.style.setProperty('--at', Math.min(from, to));
  made.style.setProperty('--lanes-wide', Math.abs(to - from));
  return made;
}

class Timeline {
  // options: prefix (of links), label, onSelect(index), and null or: conflict (two steps), other (a
  // run to compare with), broken (the violation that the run ends in).
  constructor(timeline, options) {
    this.timeline = timeline;
    this.options = options;
    this.waits = waitsOf(timeline);
    this.drawn = partakers(timeline);
    this.laneOf = new Map(this.drawn.map((client, lane) => [client, lane]));
    this.filter = 'all';
    this.query = '';
    this.current = -1;
    this.open = new Set();
    this.rows = element('div.rows', {role: 'list', 'aria-label': options.label});
    this.root = element('section.timeline', {'aria-label': options.label},
      this.lanes(), this.before(), element('div.drawing', {}, this.lines(), this.rows),
      this.end());
    this.root.style.setProperty('--lanes', this.drawn.length);
    this.root.classList.toggle('many', this.drawn.length > 10);
    this.seen = new IntersectionObserver((entries) => this.near(entries),
      {rootMargin: '1200px 0px'});
    this.sized = new ResizeObserver(() => this.fit());
    this.sized.observe(this.root);
    this.fill();
  }

  close() {
    this.seen.disconnect();
    this.sized.disconnect();
  }

  name(client) {
    return this.timeline.clients[client];
  }

  names(clients) {
    return clients.map((client) => visible(this.name(client))).join(', ');
  }

  at(made, client) {
    return inLane(made, this.laneOf.get(client));
  }

  // Lanes hold their steps where there is room for that.
  fit() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const wide = this.root.clientWidth >= (3 + LANE_REM * this.drawn.length) * rem;
    this.root.classList.toggle('columns', wide);
    this.root.classList.toggle('rails', !wide);
  }

  lanes() {
    return element('div.lanes', {'aria-hidden': 'true'}, this.drawn.map((client) =>
      element('span.lane', {'data-hue': client % 6}, outside(line(this.name(client), 60)))));
  }

  lines() {
    return element('div.drawn', {'aria-hidden': 'true'}, this.drawn.map((client) =>
      this.at(element('span.line', {'data-hue': client % 6}), client)));
  }

  before() {
    const notes = this.timeline.before || [];
    return notes.length === 0 ? null
      : element('details.before', {}, element('summary', {}, `Before the race: ` +
        count(notes.length, 'note')), notes.map((note) => this.note(note)));
  }

  end() {
    const finished = this.timeline.end === 'finished';
    const idle = this.timeline.clients.map((_, client) => client)
      .filter((client) => !this.laneOf.has(client));
    const cut = this.timeline.left_out
      ? element('p.cut', {}, `${count(this.timeline.left_out, 'further step')} left out, ` +
        'so that this page keeps to its size; the stored result has them.') : null;
    this.unprinted = element('p.cut');
    return element('div.run-end', {}, cut, this.unprinted,
      element(`p${finished ? '' : '.stuck'}`, {}, finished ? 'The run ended.'
        : `The run ended: ${visible(this.timeline.end)}` +
          `${this.timeline.reason ? `: ${visible(this.timeline.reason)}` : ''}`),
      idle.length > 0 ? element('p', {}, `Took no part: ${this.names(idle)}.`) : null,
      this.options.broken ? element('p.broken', {}, chip('unexpected', outside(
        this.options.broken.invariant), '✗'), ' ', outside(line(this.options.broken.why, 600)))
        : null);
  }

  // --- chunks

  fill() {
    this.seen.disconnect();
    const [, wanted] = FILTERS[this.filter];
    this.shown = [];
    this.timeline.steps.forEach((step, index) => {
      if (wanted(step, this.waits[index]))
        this.shown.push(index);
    });
    this.chunks = [];
    for (let first = 0; first < this.shown.length; first += CHUNK) {
      const chunk = element('div.chunk', {role: 'presentation'});
      chunk.steps = this.shown.slice(first, first + CHUNK);
      chunk.height = chunk.steps.length * ROW_PX;
      chunk.style.height = `${chunk.height}px`;
      this.chunks.push(chunk);
    }
    this.rows.replaceChildren(...this.chunks, ...(this.shown.length > 0 ? []
      : [element('p.none', {role: 'listitem'}, 'No step is of this kind.')]));
    this.watch();
  }

  draw(chunk) {
    if (chunk.drawn)
      return;
    chunk.drawn = true;
    chunk.replaceChildren(...chunk.steps.map((index) => this.row(index)));
    chunk.style.height = '';
  }

  empty(chunk) {
    if (!chunk.drawn || chunk.contains(document.activeElement))
      return;
    chunk.style.height = `${chunk.offsetHeight}px`;
    chunk.drawn = false;
    chunk.replaceChildren();
  }

  near(entries) {
    for (const entry of entries) {
      if (entry.isIntersecting)
        this.draw(entry.target);
      else
        this.empty(entry.target);
    }
  }

  // As much as can be printed, from the current step on where that is not all.
  beginPrint() {
    this.seen.disconnect();
    const at = this.chunks.findIndex((chunk) => chunk.steps.includes(this.current));
    const first = Math.max(0, Math.min(at, this.chunks.length - PRINTED));
    const printed = this.chunks.slice(first, first + PRINTED);
    this.chunks.forEach((chunk) => {
      chunk.hidden = !printed.includes(chunk);
    });
    printed.forEach((chunk) => this.draw(chunk));
    const left = this.shown.length - printed.reduce((sum, chunk) => sum + chunk.steps.length, 0);
    this.unprinted.textContent = left === 0 ? ''
      : `${count(left, 'further step')} not printed: select a step to print from there on.`;
  }

  endPrint() {
    this.unprinted.textContent = '';
    this.chunks.forEach((chunk) => {
      chunk.hidden = false;
    });
    this.watch();
  }

  // Few steps are all there; of many, those that are near.
  watch() {
    if (this.shown.length <= ALL_AT_ONCE)
      this.chunks.forEach((chunk) => this.draw(chunk));
    else
      this.chunks.forEach((chunk) => this.seen.observe(chunk));
  }

  redraw() {
    this.chunks.filter((chunk) => chunk.drawn).forEach((chunk) => {
      chunk.drawn = false;
      this.draw(chunk);
    });
  }

  setFilter(filter) {
    this.filter = filter;
    this.fill();
  }

  // How many steps have the text in them.
  setQuery(query) {
    this.query = query.toLowerCase();
    this.matches = this.query === '' ? []
      : this.shown.filter((index) =>
        searchable(this.timeline, this.timeline.steps[index]).includes(this.query));
    this.matching = new Set(this.matches);
    this.redraw();
    return this.matches.length;
  }

  // --- a step

  idOf(index) {
    return `${this.options.prefix.slice(1).replace(/\//g, '-')}-s${index + 1}`;
  }

  row(index) {
    const step = this.timeline.steps[index];
    const row = this.at(element('div.step', {role: 'listitem', id: this.idOf(index),
      'aria-posinset': index + 1, 'aria-setsize': this.timeline.steps.length,
      'data-hue': step.client % 6, 'data-kind': step.kind}), step.client);
    row.append(
      element('a.num', {href: `${this.options.prefix}/s${index + 1}`, tabIndex: -1,
        'aria-label': `Link to step ${index + 1}`}, String(index + 1)),
      this.rails(step, index), this.card(step, index), ...this.woken(step), ...this.notes(step));
    row.classList.toggle('current', index === this.current);
    row.classList.toggle('match', Boolean(this.matching && this.matching.has(index)));
    this.markConflict(row, index);
    if (this.open.has(index))
      this.expand(row, index);
    return row;
  }

  markConflict(row, index) {
    const pair = this.options.conflict;
    if (!pair)
      return;
    const [first, second] = [Math.min(...pair), Math.max(...pair)];
    row.classList.toggle('conflict', index === first || index === second);
    row.classList.toggle('conflict-first', index === first && first < second);
    row.classList.toggle('conflict-last', index === second && first < second);
    row.classList.toggle('conflict-between', index > first && index < second);
  }

  rails(step, index) {
    const waits = this.waits[index];
    const rails = element('span.drawn', {'aria-hidden': 'true'});
    for (const [kind, clients] of Object.entries(waits))
      rails.append(...clients.map((client) => this.at(element(`span.wait.${kind}`), client)));
    for (const holder of step.holders || [])
      rails.append(arrow('to-holder', this.laneOf.get(step.client),
        this.laneOf.get(holder)));
    for (const client of waits.ends.filter((ended) => ended !== step.client))
      rails.append(arrow('to-woken', this.laneOf.get(step.client),
        this.laneOf.get(client)));
    rails.append(this.at(element('span.dot'), step.client));
    return rails;
  }

  // What the step itself came to: [words, kind].
  ownOutcome(step) {
    const own = step.ended.filter((ended) => ended.client === step.client);
    if (own.length > 0)
      return [own.map((ended) => outcome(ended, step.kind)).join('; '),
        own.some(isError) ? 'error' : 'done'];
    if (step.holders)
      return [`waits for ${this.names(step.holders)}`, 'waiting'];
    if ((step.blocked || []).includes(step.client))
      return ['in flight', 'waiting'];
    return (step.gated || []).includes(step.client) ? ['has its snapshot', 'done'] : ['', 'done'];
  }

  tags(step, index) {
    const pair = this.options.conflict;
    const tags = [];
    if (pair && pair.includes(index))
      tags.push(chip('conflict', 'conflict'));
    if (step.uncontrolled)
      tags.push(chip('warn', 'uncontrolled'));
    if (this.differs(step, index))
      tags.push(chip('differs', 'differs'));
    return tags;
  }

  // Whether the other run went another way here.
  differs(step, index) {
    const other = this.options.other;
    if (!other)
      return false;
    const its = other.steps[index];
    const told = (one) => JSON.stringify([one.client, one.kind, one.text, one.blocked,
      one.ended.map((ended) => outcome(ended))]);
    return !its || told(its) !== told(step);
  }

  card(step, index) {
    const [words, kind] = this.ownOutcome(step);
    const card = element(`button.card.is-${kind}`, {type: 'button', 'aria-expanded': 'false',
      tabIndex: index === Math.max(this.current, 0) ? 0 : -1},
    element('span.head', {}, element('span.who', {}, outside(line(this.name(step.client), 60))),
      element('span.kind', {}, visible(step.kind)), this.tags(step, index)),
    this.statement(step),
    words ? element(`span.outcome.${kind}`, {}, outside(line(words, 240))) : null);
    card.addEventListener('click', () => {
      this.select(index);
      this.toggle(index);
    });
    return card;
  }

  // What a COMMIT is, its kind says.
  statement(step) {
    if (step.text.trim().toLowerCase() === step.kind && !step.params)
      return null;
    return element('code.sql', {}, outside(line(step.text)),
      step.params ? element('span.params', {}, ' ', outside(line(step.params, 200))) : null);
  }

  woken(step) {
    const others = step.ended.filter((ended) => ended.client !== step.client);
    const gated = (step.gated || []).filter((client) => client !== step.client);
    return others.map((ended) => this.at(element('div.woken', {'data-hue': ended.client % 6},
      element('span.who', {}, outside(line(this.name(ended.client), 60))), ' goes on: ',
      element(`span.outcome.${isError(ended) ? 'error' : 'done'}`, {},
        outside(line(outcome(ended), 240)))), ended.client))
      .concat(gated.map((client) => this.at(element('div.woken', {'data-hue': client % 6},
        element('span.who', {}, outside(line(this.name(client), 60))),
        ' goes on: has its snapshot'), client)));
  }

  note(note) {
    const sign = {fault: '⚡', clock: '◷'}[note.kind];
    return element(`div.noted.note-${['fault', 'clock'].includes(note.kind) ? note.kind : 'other'}`,
      {}, sign ? element('span.sign', {'aria-hidden': 'true'}, `${sign} `) : null,
      element('span.note-kind', {}, visible(note.kind)), ' ', outside(line(noteText(note), 240)));
  }

  notes(step) {
    const notes = step.notes || [];
    const own = [...new Set(notes.map((note) => note.client))];
    return own.map((client) => {
      const box = element(client === undefined ? 'div.beside' : 'div.notes', {},
        notes.filter((note) => note.client === client).map((note) => this.note(note)));
      return client === undefined ? box : this.at(box, client);
    });
  }

  // --- the whole of a step

  toggle(index) {
    const row = document.getElementById(this.idOf(index));
    if (this.open.delete(index)) {
      row.querySelector('.whole').remove();
      row.querySelector('.card').setAttribute('aria-expanded', 'false');
      row.classList.remove('open');
    } else {
      this.open.add(index);
      this.expand(row, index);
    }
  }

  expand(row, index) {
    const step = this.timeline.steps[index];
    row.querySelector('.card').setAttribute('aria-expanded', 'true');
    row.classList.add('open');
    row.append(element('div.whole', {}, this.wholeText(step), this.wholeFacts(step),
      (step.notes || []).map((note) => element('div.whole-note', {},
        element('h4', {}, `${note.client === undefined ? 'overbook' : this.names([note.client])}: `,
          visible(note.kind)), block(JSON.stringify(dataOf(note), null, 2))))));
  }

  wholeText(step) {
    return element('div.whole-text', {}, block(step.text),
      step.params ? block(step.params) : null,
      element('div.actions', {}, copyButton('the statement', step.text)));
  }

  wholeFacts(step) {
    const facts = [
      ...step.ended.map((ended) => [`${this.names([ended.client])} got`, outcome(ended)]),
      ['waits for', this.names(step.holders || [])],
      ['wait after it', this.names(step.blocked || [])],
      ['woken by it', this.names(step.woken || [])],
      ['came to a gate', this.names(step.gated || [])],
      ['not controlled', step.uncontrolled ? 'the server itself chose something here' : ''],
    ].filter(([, value]) => value);
    return element('dl.facts-list', {}, facts.map(([key, value]) => element('div', {},
      element('dt', {}, visible(key)), element('dd', {}, outside(value)))));
  }

  // --- moving

  // The step becomes the one that keys go on from.
  select(index, {focus = false, quiet = false} = {}) {
    const [last, row] = [this.current, this.show(index)];
    this.current = index;
    for (const [step, is] of [[Math.max(last, 0), false], [last, false], [index, true]]) {
      const other = document.getElementById(this.idOf(step));
      if (!other)
        continue;
      other.classList.toggle('current', is);
      other.querySelector('.card').tabIndex = is ? 0 : -1;
    }
    if (focus && row)
      row.querySelector('.card').focus({preventScroll: true});
    if (!quiet)
      this.options.onSelect(index);
  }

  // Sees to it that the step is drawn.
  show(index) {
    const chunk = this.chunks.find((one) => one.steps.includes(index));
    if (chunk)
      this.draw(chunk);
    return chunk ? document.getElementById(this.idOf(index)) : null;
  }

  goTo(index, focus = true) {
    const to = Math.max(0, Math.min(index, this.timeline.steps.length - 1));
    if (!this.shown.includes(to))
      this.setFilter('all');
    this.select(to, {focus});
    this.settle(to, 20);
  }

  // Chunks above that are drawn on the way move the step, so it is looked after for some frames.
  settle(index, frames) {
    const row = index === this.current ? this.show(index) : null;
    if (!row)
      return;
    row.scrollIntoView({block: 'center'});
    if (frames > 0)
      requestAnimationFrame(() => this.settle(index, frames - 1));
  }

  // To the next step that is shown, or among those that match; by -1 or 1.
  move(by, list = this.shown) {
    if (list.length === 0)
      return;
    const next = by > 0 ? list.find((index) => index > this.current)
      : list.findLast((index) => index < this.current);
    const to = next === undefined ? list[by > 0 ? list.length - 1 : 0] : next;
    const row = this.show(to);
    this.select(to, {focus: true});
    row.scrollIntoView({block: 'nearest'});
  }
}
