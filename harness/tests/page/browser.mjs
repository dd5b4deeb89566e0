// browser.mjs - a headless Chromium with the page in it, and counting tests.
import {chromium} from 'playwright-core';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

let passed = 0, failed = 0;

export function check(what, is, got) {
  if (is) {
    passed++;
    return;
  }
  failed++;
  console.log(`FAILED: ${what}${got === undefined ? '' : `: ${JSON.stringify(got)}`}`);
}

export function same(what, got, expected) {
  const is = JSON.stringify(got) === JSON.stringify(expected);
  check(what, is, is ? undefined : {got, expected});
}

export function sum() {
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

// The page of a result, as overbook makes it.
export function render(overbook, dir, name, result) {
  const json = path.join(dir, `${name}.json`), html = path.join(dir, `${name}.html`);
  fs.writeFileSync(json, JSON.stringify(result));
  try {
    execFileSync(overbook, ['report', json, '--html', html, '-q'], {stdio: 'pipe'});
  } catch (error) {
    if (![1, 3, 4].includes(error.status)) // what the result's own status is
      throw error;
  }
  return html;
}

export async function launch(program) {
  return chromium.launch({executablePath: program, args: ['--no-sandbox']});
}

// Opens it; what the browser complains of, and what it asks the net for, is a failed test.
export async function open(browser, html, address = '', options = {}) {
  const context = await browser.newContext({viewport: {width: 1440, height: 900}, ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  const url = html.startsWith('http') ? html : `file://${html}`;
  page.on('pageerror', (error) => check(`no error of the page (${address})`, false, error.message));
  page.on('console', (message) => check(`nothing said on the console (${address})`,
    !['error', 'warning'].includes(message.type()), message.text()));
  page.on('dialog', (dialog) => {
    check('no dialog', false, dialog.message());
    dialog.dismiss();
  });
  page.on('request', (request) => check('no request', request.url().split('#')[0] === url,
    request.url()));
  await page.goto(url + address);
  return page;
}
