// test-page.mjs - the report page in a browser: what it shows against the JSON, hostile content,
// keys, addresses, sizes, colours, accessibility.  Run by test-page, with
// OVERBOOK, CHROMIUM, AXE (axe-core's file), DIR (to work in) and SHOTS (for screenshots) set.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {check, launch, open, render, same, sum} from './browser.mjs';
import {crossed, evil, hostile, long, rolledOut, usual} from './samples.mjs';

const {OVERBOOK, CHROMIUM, AXE, DIR, SHOTS} = process.env;
const axe = fs.readFileSync(AXE, 'utf8');
const browser = await launch(CHROMIUM);
const result = usual();
const html = render(OVERBOOK, DIR, 'usual', result);
const all = result.results.flatMap((one) => one.violations);

const texts = (page, selector) =>
  page.locator(selector).evaluateAll((found) => found.map((one) => one.innerText.trim()));

async function accessible(page, what) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}));
  same(`axe-core finds nothing (${what})`, found.violations.map((one) =>
    `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 150)).join(' | ')}`), []);
}

async function fits(page, what) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth -
    document.documentElement.clientWidth);
  same(`no scrolling to the side (${what})`, over, 0);
}

// --- what it shows

async function overviewShowsTheResults() {
  const page = await open(browser, html);
  same('the title', await texts(page, 'h1'), ['3 of 5 results are not as expected']);
  same('the variants', (await texts(page, '.result-name strong')).sort(),
    result.results.map((one) => one.variant).sort());
  for (const one of result.results) {
    const row = page.locator('.result', {has: page.getByText(one.variant, {exact: true})});
    same(`the verdict of ${one.variant}`, await row.locator('.chip').innerText(), one.verdict);
    const told = await row.innerText();
    check(`the runs of ${one.variant}`, told.includes(`${one.runs.toLocaleString('en')} run`));
    check(`the reason of ${one.variant}`, told.includes(one.reason));
    same(`the violations of ${one.variant}`, await row.locator('.found-list a').allInnerTexts(),
      one.violations.map((violation) => violation.invariant));
  }
  await page.getByRole('button', {name: /^Holds/}).click();
  same('a filter', await texts(page, '.result:visible strong'), ['fixed']);
  await page.getByRole('button', {name: /^All/}).click();
  await page.locator('#search').fill('refunded 18000');
  same('a search', await texts(page, '.result:visible strong'), ['serializable']);
  await page.context().close();
}

// Where there is no room for columns each row is a list, and nothing is out of sight.
async function tablesFit(page, what) {
  for (const width of [1440, 640, 320]) {
    await page.setViewportSize({width, height: 900});
    await fits(page, `${what}, ${width}`);
    same(`nothing to scroll to (${what}, ${width})`, await page.locator('.table-box').evaluateAll(
      (boxes) => boxes.filter((box) => box.scrollWidth > box.clientWidth).length), 0);
    const name = await page.locator('.table-box td').first().evaluate((cell) =>
      getComputedStyle(cell, '::before').content);
    check(`columns are named in a list (${what}, ${width})`, (name === 'none') === (width > 640),
      name);
    await accessible(page, `${what}, ${width}`);
  }
}

async function rolloutsAreShown() {
  const page = await open(browser, render(OVERBOOK, DIR, 'rollout', rolledOut()), '',
    {colorScheme: 'dark'});
  const rows = async (title) => (await texts(page, `[aria-labelledby=rollout-${title}] tbody tr`))
    .map((one) => one.replace(/\s+/g, ' '));
  same('the orders', await rows('orders'), [
    '✗ not safe constraint-first One worker still runs the old code. schema 6, old code → ' +
    'deploy new not safe after it no-overlap is broken, which it was not before',
    '? undecided code-first schema 6, old code → deploy new → migrate to 7 undecided (expected: ' +
    'safe) the server went away']);
  same('the phases', await rows('phases'), ['✓ holds schema 6, old code holds 24',
    '✗ does not hold schema 7, old and new code breaks no-overlap 24',
    '? undecided schema 7, new code undecided: the server went away 3']);
  check('the moves', (await rows('moves'))[0].startsWith('✗ not safe deploy new from schema 6, ' +
    'old code not safe after it no-overlap'), await rows('moves'));
  same('the requests', await rows('requests'), ['migrate to 7 from schema 7, old and new code ' +
    'two-holds-one-slot alice hold held (20); refused (4)']);
  await page.screenshot({path: path.join(SHOTS, 'rollout.png'), fullPage: true});
  await tablesFit(page, 'a rollout');
  await page.screenshot({path: path.join(SHOTS, 'rollout-320.png'), fullPage: true});
  await page.locator('[aria-labelledby=rollout-phases] a').click();
  same('the violation of a phase', new URL(page.url()).hash, '#v1');
  await page.context().close();
}

async function matricesAreShown() {
  const page = await open(browser, render(OVERBOOK, DIR, 'crossed', crossed()));
  const words = await texts(page, '.matrix td .standing');
  same('the cells', words.map((one) => one.replace(/\s+/g, ' ')), ['✗ breaks',
    '✓ holds with retries', '✗ breaks another', '✓ holds', '! deadlocks', '– not applied',
    '✓ holds', ...Array(5).fill('– not tried')]);
  same('what they leave open', await texts(page, '.matrix td > .small'),
    ['40 runs', 'liveness', 'all that matter, 40 runs', '40 runs', 'no such column', '40 runs']);
  same('the settings', await texts(page, '.matrix h3'), ['with enable_seqscan=on']);
  await page.locator('.matrix td summary').click();
  same('a run', await texts(page, '.matrix td pre'), ['1 alice BEGIN']);
  await accessible(page, 'a matrix');
  await page.screenshot({path: path.join(SHOTS, 'matrix.png'), fullPage: true});
  await tablesFit(page, 'a matrix');
  await page.locator('.matrix p a').click();
  same('the violation', new URL(page.url()).hash, '#v1');
  await page.context().close();
}

async function violationShowsItsRun() {
  const page = await open(browser, html, '#v1');
  const [first] = all, {steps, clients} = first.shrunk.timeline;
  same('the invariant', await texts(page, 'h1'), [first.invariant]);
  same('the rows', await texts(page, '.rows-panel pre'), [first.why]);
  same('the lanes', await texts(page, '.lane'), clients);
  same('as many steps', await page.locator('.step').count(), steps.length);
  for (const [index, step] of steps.entries()) {
    const row = page.locator(`#v1-s${index + 1}`);
    const words = await row.locator('.card').textContent();
    check(`the client of step ${index + 1}`, words.startsWith(clients[step.client]), words);
    check(`the kind of step ${index + 1}`, words.includes(step.kind), words);
    if (!['begin', 'commit', 'rollback'].includes(step.kind))
      check(`the text of step ${index + 1}`, words.includes(step.text.replace(/\s+/g, ' ')), words);
    for (const holder of step.holders || [])
      check(`the holder in step ${index + 1}`, words.includes(`waits for ${clients[holder]}`));
    const before = index > 0 ? steps[index - 1].blocked || [] : [];
    same(`the waits in step ${index + 1}`, await row.locator('.wait').count(),
      new Set([...before, ...step.blocked || []]).size);
  }
  same('a wait begins once', await page.locator('.wait.starts').count(), 1);
  same('a wait goes through', await page.locator('.wait.through').count(), 1);
  same('a wait ends once', await page.locator('.wait.ends').count(), 1);
  same('an arrow to the holder', await page.locator('.arrow.to-holder').count(), 1);
  same('the conflict', await page.locator('.step.conflict').evaluateAll((rows) =>
    rows.map((row) => row.id)), ['v1-s4', 'v1-s5']);
  same('faults and the clock', await texts(page, '.note-fault, .note-clock'),
    ['◷ clock 2026-06-01 12:00:00 UTC', '⚡ fault point: commit/ack-lost, way: 1']);
  same('the verdicts of cures', (await texts(page, '.cure .chip')).map((one) =>
    one.slice(1).trim()), first.cures.map((cure) => cure.verdict));
  same('the edges', await page.locator('.edges li').count(), first.explanation.edges.length);
  await page.locator('#v1-s4 .card').click();
  const whole = page.locator('#v1-s4 .whole');
  same('the whole statement', await whole.locator('pre').first().textContent(), steps[3].text);
  check('the whole parameters', (await whole.textContent()).includes(steps[3].params));
  await page.getByRole('button', {name: 'Waits', exact: true}).click();
  same('a filter of steps', await page.locator('.step').evaluateAll((rows) =>
    rows.map((row) => row.id)), ['v1-s6', 'v1-s8']);
  await page.context().close();
}

async function otherRunsAreThere() {
  const page = await open(browser, html, '#v1/found/s13');
  same('the run as found', await page.locator('.step').count(), 13);
  check('a link to a step of it', await page.locator('#v1-found-s13 .card').evaluate((card) =>
    card === document.activeElement));
  await page.goto(`file://${html}#v1/c1`);
  same('two runs beside each other', await page.locator('.timeline').count(), 2);
  check('the error of the cure', (await page.locator('#v1-c1n-s8').innerText())
    .includes('error 23P01: conflicting key value'));
  same('what differs', await page.locator('.timeline').nth(1).locator('.chip.differs').count(), 2);
  await page.goto(`file://${html}#v2`);
  same('the run of another violation', await page.locator('.step').count(), 13);
  await page.goto(`file://${html}#v3`);
  same('the text of a run that was not kept', await texts(page, '.violation pre'),
    [all[2].why, '1 alice      begin']);
  same('no command where there is none', await page.locator('.replay').count(), 0);
  await page.goto(`file://${html}#v99`);
  same('an address of nothing', await texts(page, 'h1'), ['3 of 5 results are not as expected']);
  await page.context().close();
}

// --- what is done with it

async function keysMove() {
  const page = await open(browser, html);
  const press = async (...keys) => {
    for (const key of keys)
      await page.keyboard.press(key);
  };
  const at = async () => page.evaluate(() => location.hash);
  await press('j', 'Enter');
  await page.locator('.violation').waitFor(); // a link is followed by the browser, in its own time
  same('j and Enter open a violation', await at(), '#v3');
  await press('p', 'p');
  same('p goes back', await at(), '#v1');
  await press('j', 'j', 'ArrowDown', 'k');
  same('steps by keys', await at(), '#v1/s2');
  await press('Enter');
  same('Enter opens a step', await page.locator('#v1-s2 .card').getAttribute('aria-expanded'),
    'true');
  await press('Enter');
  same('and closes it', await page.locator('.whole').count(), 0);
  await press('c');
  same('c goes to the conflict', await at(), '#v1/s4');
  await press('G');
  same('G goes to the end', await at(), '#v1/s9');
  await press('/');
  await page.keyboard.type('insert');
  same('what is found', await texts(page, '.found'), ['2 steps with “insert”']);
  await press('g');
  same('letters are no keys in the search', await page.locator('#search').inputValue(), 'insertg');
  await press('Backspace', 'Enter');
  same('Enter goes to what was found', await at(), '#v1/s6');
  await press('Escape', '?');
  check('? opens the keys', await page.locator('dialog').isVisible());
  await accessible(page, 'the keys');
  await press('Escape', 'o');
  same('o goes to the overview', await texts(page, 'h1'), ['3 of 5 results are not as expected']);
  await press('t', 't');
  same('t changes the colours', await page.evaluate(() => document.documentElement.dataset.theme),
    'dark');
  await page.reload();
  same('which stay', await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
  await page.context().close();
}

async function tokensAreCopied() {
  const page = await open(browser, html, '#v1');
  const told = async (name) => {
    await page.getByRole('button', {name, exact: true}).click();
    await page.locator('.copy.done').first().waitFor();
    await page.locator('#search').fill('');
    await page.locator('#search').press('Control+v');
    return page.locator('#search').inputValue();
  };
  same('the command', await told('Copy the command'), 'overbook replay ob1-AAECAw');
  same('the token', await told('Copy the token'), 'ob1-AAECAw');
  await page.context().close();
}

async function hostileContentIsText() {
  const page = await open(browser, render(OVERBOOK, DIR, 'hostile', hostile()), '#v1');
  const shown = evil.replace(/[\u0001\u001b\u007f\u009b\u202e\u202c\u2028\u2029]/g, (one) =>
    `⟨U+${one.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`);
  same('nothing of it ran', await page.evaluate(() => window.pwned), undefined);
  same('nothing of it is markup', await page.locator('img, script[src]').count(), 0);
  same('it is shown', await page.locator('h1').textContent(), shown);
  same('and does not turn what is beside it', await page.locator('h1 bdi').evaluate((one) =>
    getComputedStyle(one).unicodeBidi), 'isolate');
  await page.locator('#v1-s2 .card').click();
  const whole = page.locator('#v1-s2 .whole');
  same('a large text begins', (await whole.locator('pre').first().textContent()).length, 20000);
  await whole.getByRole('button', {name: /^Show all/}).click();
  same('and is there', (await whole.locator('pre').first().textContent()).length, 9 + (1 << 20));
  await page.locator('#v1-s1 .card').click();
  await page.goto(`${page.url().split('#')[0]}#v1/c1`);
  await accessible(page, 'hostile');
  await fits(page, 'hostile');
  await page.goto(page.url().split('#')[0]);
  same('the overview shows it', await page.locator('.result-name strong').textContent(), shown);
  same('nothing of it ran at all', await page.evaluate(() => window.pwned), undefined);
  await page.context().close();
}

// --- large ones

const LONG = 10000, CROWD = 32;

// What is done in the page's own time: ms until a key is seen to, the elements that it made, and
// those that there are in the end.
async function pressed(page, keys) {
  return page.evaluate(async (pressing) => {
    const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const times = [];
    let made = 0;
    const watching = new MutationObserver((changes) => changes.forEach((change) =>
      change.addedNodes.forEach((node) => {
        made += node.querySelectorAll ? 1 + node.querySelectorAll('*').length : 0;
      })));
    watching.observe(document.body, {childList: true, subtree: true});
    for (const key of pressing) {
      const start = performance.now();
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true,
        cancelable: true}));
      await drawn();
      times.push(performance.now() - start);
    }
    watching.disconnect();
    return {median: times.sort((a, b) => a - b)[times.length >> 1], made,
      there: document.querySelectorAll('*').length};
  }, keys);
}

const nodes = (page) => page.evaluate(() => document.querySelectorAll('*').length);

const inView = (page, id) => page.waitForFunction((name) => {
  const found = document.getElementById(name);
  const box = found && found.getBoundingClientRect();
  return box && box.top >= 0 && box.bottom <= innerHeight && found.contains(
    document.activeElement);
}, id).then(() => true, () => false);

// What a run of a hundred steps costs is the measure: the machine may be a slow one.
async function longRunsStaySmooth() {
  const [small, large] = await Promise.all([100, LONG].map(async (steps) => {
    const file = render(OVERBOOK, DIR, `long-${steps}`, long(steps, CROWD));
    const page = await open(browser, file, '#v1');
    await page.locator('.step').first().waitFor();
    return {page, file};
  }));
  const {page, file} = large;
  check('10,000 steps fit', fs.statSync(file).size < 5e6, fs.statSync(file).size);
  same('and none is cut', await texts(page, '.run-cut'), []);
  const keys = Array(120).fill('j');
  const [few, many] = [await pressed(small.page, keys), await pressed(page, keys)];
  console.log(`figure: a key in 100 steps: ${few.median.toFixed(1)} ms, in ${LONG}: ` +
    `${many.median.toFixed(1)} ms, ${fs.statSync(file).size} bytes`);
  check('a key takes no longer', many.median < 5 * few.median, {few, many});
  check('as many elements', many.there < 2 * few.there, {few, many});
  check('keys make what comes near only', many.made < 3 * few.there, {few, many});
  await page.keyboard.press('G');
  check('the last step is there', await inView(page, `v1-s${LONG}`));
  await page.goto(`file://${file}#v1/s5000`);
  check('and one in the middle', await inView(page, 'v1-s5000'));
  const back = await pressed(page, [...Array(5).fill(['g', 'G']).flat(), ...keys]);
  check('as many after jumping', back.there < 2 * few.there, {few, back});
  await page.locator('#search').fill('update slot');
  const updates = long(LONG, CROWD).results[0].violations[0].timeline.steps
    .filter((step) => step.text.startsWith('UPDATE slot')).length;
  same('all are searched', await texts(page, '.found'),
    [`${updates.toLocaleString('en')} steps with “update slot”`]);
  await page.getByRole('button', {name: 'Commits', exact: true}).click();
  check('as many when filtered', await nodes(page) < 2 * few.there, await nodes(page));
  await page.context().close();
  await small.page.context().close();
}

// Browsers give up printing 10,000 steps.
async function ofALongRunAPartIsPrinted() {
  const page = await open(browser, render(OVERBOOK, DIR, 'print', long(LONG)), '#v1/s5000');
  const there = () => page.evaluate(() => [...document.querySelectorAll('.chunk')]
    .filter((chunk) => !chunk.hidden).flatMap((chunk) => [...chunk.children])
    .map((row) => row.id));
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  const printed = await there();
  check('from the step on', printed.slice(0, 60).includes('v1-s5000'), printed.slice(0, 60));
  same('as many as can be', printed.length, 600);
  check('what is not is told', (await texts(page, '.run-end')).join().includes(
    '9,400 further steps not printed'));
  await page.evaluate(() => window.dispatchEvent(new Event('afterprint')));
  await page.waitForFunction(() => document.querySelectorAll('.step').length < 300);
  same('all can be seen again', await page.locator('.chunk:visible').count(),
    Math.ceil(LONG / 60));
  await page.context().close();
}

async function tooMuchIsCutAndTold() {
  const cut = long(30000, 3, ` -- ${'y'.repeat(400)}`);
  const [violation] = cut.results[0].violations;
  violation.token = `ob1-${'A'.repeat(60000)}`;
  violation.replay = `overbook replay ${violation.token}`;
  const file = render(OVERBOOK, DIR, 'cut', cut);
  check('the page keeps to its size', fs.statSync(file).size <= 5e6, fs.statSync(file).size);
  const page = await open(browser, file);
  same('the page says what is cut', await texts(page, '.note'), ['This page was cut to keep to ' +
    'its size: no text is longer than 4,096 bytes, of 1 run the first 10,000 steps are here. ' +
    'The result that --json wrote has all of it.']);
  await page.goto(`file://${file}#v1`);
  same('the run says how much', await texts(page, '.run-cut p'), ['Cut, so that this page keeps ' +
    'to its size: the first 10,000 of 30,000 steps are here. The result that --json wrote has ' +
    'all of them, and this command makes the run again:']);
  same('and how to see all of it', await page.locator('.run-cut code').textContent(),
    violation.replay);
  check('at its end too', (await texts(page, '.run-end')).join()
    .includes('20,000 further steps left out'));
  await fits(page, 'a run that was cut');
  await accessible(page, 'a run that was cut');
  await page.screenshot({path: path.join(SHOTS, 'cut.png')});
  await page.context().close();
}

async function manyClientsHaveRoom() {
  const file = render(OVERBOOK, DIR, 'wide', long(200, 64));
  for (const width of [360, 1440]) {
    const page = await open(browser, file, '#v1', {viewport: {width, height: 800}});
    same('64 lanes', await page.locator('.lane').count(), 64);
    await fits(page, `64 clients at ${width}`);
    await page.context().close();
  }
}

// --- how it looks

async function everyWidthWorks(colorScheme) {
  for (const width of [360, 900, 1440]) {
    const page = await open(browser, html, '', {viewport: {width, height: 900}, colorScheme});
    for (const address of ['', '#v1', '#v1/c1']) {
      await page.goto(`file://${html}${address}`);
      const what = `${address || 'overview'} at ${width}, ${colorScheme}`;
      await fits(page, what);
      if (width === (colorScheme === 'dark' ? 1440 : 360))
        await accessible(page, what);
      const name = address.slice(1).replace('/', '-') || 'overview';
      await page.screenshot({path: path.join(SHOTS, `${name}-${width}-${colorScheme}.png`),
        fullPage: true});
    }
    await page.context().close();
  }
}

// Two at a time: there are seldom fewer processors.
async function bothColoursWork() {
  await Promise.all([everyWidthWorks('light'), everyWidthWorks('dark')]);
}

// 1280 columns and 1024 rows at 400 % are 320 and 256.
async function itCanBeEnlarged() {
  const page = await open(browser, html, '', {viewport: {width: 320, height: 256},
    deviceScaleFactor: 4});
  for (const address of ['', '#v1/s6', '#v1/c1', '#v3']) {
    await page.goto(`file://${html}${address}`);
    await fits(page, `${address || 'overview'} at 400 %`);
    const name = address.slice(1).replace('/', '-') || 'overview';
    await page.screenshot({path: path.join(SHOTS, `${name}-enlarged.png`)});
  }
  await page.context().close();
}

async function itPrints() {
  const page = await open(browser, html, '#v1', {colorScheme: 'dark'});
  const pdf = await page.pdf({path: path.join(SHOTS, 'print.pdf')});
  check('it prints', pdf.length > 10000, pdf.length);
  await page.emulateMedia({media: 'print'});
  same('in black on white', await page.evaluate(() =>
    getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)');
  await page.context().close();
}

// As systems do that show what a build has left: in a sandbox, with a policy of their own.
async function aStrictServerCanShowIt() {
  const server = http.createServer((_, answer) => {
    answer.setHeader('Content-Type', 'text/html; charset=utf-8');
    answer.setHeader('Content-Security-Policy', "sandbox allow-scripts; default-src 'none'; " +
      "script-src 'unsafe-inline'; style-src 'unsafe-inline'");
    answer.end(fs.readFileSync(html));
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const page = await open(browser, `http://127.0.0.1:${server.address().port}/`, '#v1/s3');
  check('a step is there', await page.locator('#v1-s3').isVisible());
  await page.keyboard.press('t');
  await page.keyboard.press('j');
  check('and keys work', await page.locator('#v1-s4.current').isVisible());
  await page.context().close();
  server.close();
}

async function withoutScriptsItSaysWhy() {
  const page = await open(browser, html, '', {javaScriptEnabled: false});
  const note = page.locator('.unscripted');
  await note.waitFor({state: 'visible'});
  check('what to do is said', (await note.innerText()).includes('open it from the disk'));
  await page.context().close();
}

for (const test of [overviewShowsTheResults, rolloutsAreShown, matricesAreShown,
  violationShowsItsRun, otherRunsAreThere, keysMove, tokensAreCopied, hostileContentIsText,
  longRunsStaySmooth, ofALongRunAPartIsPrinted, tooMuchIsCutAndTold, manyClientsHaveRoom,
  bothColoursWork, itCanBeEnlarged, itPrints, aStrictServerCanShowIt, withoutScriptsItSaysWhy]) {
  const start = performance.now();
  try {
    await test();
  } catch (error) {
    check(test.name, false, error.stack);
  }
  console.log(`${test.name}: ${Math.round(performance.now() - start)} ms`);
}
await browser.close();
process.exitCode = sum();
