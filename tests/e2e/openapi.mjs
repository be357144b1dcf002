// Holds answers of the admin API against docs/openapi.yaml, by operation and status. A member that the document does not list is
// an error, as is a parameter or a body that was taken and that the document does not have.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import Ajv from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { root } from './server.mjs';

const prefix = '/admin/v1';
export const doc = parse(readFileSync(`${root}docs/openapi.yaml`, 'utf8'));
const at = (ref) => ref.slice(2).split('/').reduce((node, part) => node[part], doc);
const whole = (node) => (node.$ref ? at(node.$ref) : node);

// Objects whose members are listed have no others. What `allOf` joins has the members of all its parts: it is closed where it is used.
const lists = (node) => node.properties !== undefined || node.allOf !== undefined || (node.$ref !== undefined && lists(at(node.$ref)));
function close(node, part = false) {
  if (Array.isArray(node)) return node.map((one) => close(one));
  if (node === null || typeof node !== 'object') return node;
  const closed = {};
  for (const [name, value] of Object.entries(node)) {
    if (name === '$ref') closed.$ref = value.replace('#/components/schemas/', 'openapi#/$defs/');
    else if (name === 'properties') closed.properties = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, close(one)]));
    else if (name === 'allOf') closed.allOf = value.map((one) => close(one, true));
    else if (name !== 'example' && name !== 'examples' && name !== 'description') closed[name] = close(value);
  }
  if (!part && lists(node) && node.additionalProperties === undefined) closed.unevaluatedProperties = false;
  return closed;
}

// What is written need not say `type: object` beside `required` again in each part of an allOf.
const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/).addFormat('int64', { type: 'number', validate: Number.isInteger }).addFormat('binary', true);
ajv.addSchema({ $id: 'openapi', $defs: Object.fromEntries(Object.entries(doc.components.schemas).map(([name, one]) => [name, close(one, true)])) });
const compiled = new Map();
function fits(schema, value, what) {
  if (!compiled.has(schema)) compiled.set(schema, ajv.compile(close(schema)));
  const check = compiled.get(schema);
  if (!check(value)) assert.fail(`${what}: ${ajv.errorsText(check.errors)} (${check.errors.map((one) => JSON.stringify(one.params)).join(' ')})\n${JSON.stringify(value)}`);
}

function operationOf(method, path) {
  const parts = path.split('/');
  const rank = (template) => template.split('/').filter((part) => part.startsWith('{')).length;
  const [found] = Object.keys(doc.paths).filter((template) => {
    const wanted = template.split('/');
    return wanted.length === parts.length && wanted.every((part, i) => part === parts[i] || (part.startsWith('{') && parts[i] !== ''));
  }).sort((a, b) => rank(a) - rank(b));
  return found && doc.paths[found][method.toLowerCase()];
}

// What was answered well, by operation: tests say at their end that none is left out.
export const answered = new Set();
// The values that members of answers had: "standing" → { hint, … }.
export const values = {};

function note(node) {
  if (Array.isArray(node)) node.forEach(note);
  else if (node !== null && typeof node === 'object')
    for (const [name, value] of Object.entries(node)) {
      if (typeof value === 'string') (values[name] ??= new Set()).add(value);
      note(value);
    }
}

function checkTaken(operation, query, sent, what) {
  const known = new Map((operation.parameters ?? []).map(whole).filter((one) => one.in === 'query').map((one) => [one.name, one.schema]));
  for (const name of query.keys()) assert.ok(known.has(name), `${what}: the parameter ${name} was taken`);
  const schema = operation.requestBody?.content['application/json'].schema;
  if (sent !== undefined && sent !== '') {
    assert.ok(schema, `${what}: a body was taken`);
    fits(schema, JSON.parse(sent), `${what}: the body that was taken`);
  }
}

// `answer` has status, headers, text; `sent` is the body of the call as text.
export function checkAnswer(method, target, answer, sent) {
  const { pathname, searchParams } = new URL(target, 'http://payhook');
  const what = `${method} ${target} ${answer.status}`;
  const operation = pathname.startsWith(`${prefix}/`) ? operationOf(method, pathname.slice(prefix.length)) : undefined;
  const error = doc.components.responses.Error;
  const response = whole(operation?.responses[answer.status] ?? operation?.responses.default ?? error);
  if (response === error) assert.match(error.description, new RegExp(`\\b${answer.status} `), `${what}: no such error is described`);
  const type = answer.headers['content-type'], content = response.content[type];
  assert.ok(content, `${what}: ${type} is not described`);
  for (const [name, header] of Object.entries(response.headers ?? {})) {
    if (header.required) assert.ok(answer.headers[name] !== undefined, `${what}: the header ${name} is missing`);
    if (answer.headers[name] !== undefined) fits(header.schema, answer.headers[name], `${what}: the header ${name}`);
  }
  const documents = type === 'application/json' ? [answer.text] : type === 'application/x-ndjson' ? answer.text.split('\n').slice(0, -1) : [];
  for (const text of documents) {
    const value = JSON.parse(text);
    fits(content.schema, value, what);
    note(value);
  }
  if (response === error) return;
  answered.add(operation.operationId);
  checkTaken(operation, searchParams, sent, what);
}

// Asks, and holds the answer against the document. `where` is { socketPath } or { host, port }; gives status, headers, text, json.
export function askAdmin(where, method, path, { body, token, type = 'application/json' } = {}) {
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const target = path.startsWith('/') ? path : `${prefix}/${path}`;
  const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(sent !== undefined && type ? { 'content-type': type } : {}) };
  return new Promise((resolve, reject) => {
    const request = http.request({ ...where, method, path: target, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; }).on('error', reject).on('end', () => {
        const answer = { status: response.statusCode, headers: response.headers, text };
        try {
          checkAnswer(method, target, answer, sent);
          if (/json$/.test(response.headers['content-type']) && !/x-ndjson/.test(response.headers['content-type'])) answer.json = JSON.parse(text);
          resolve(answer);
        } catch (error) { reject(error); }
      });
    });
    request.on('error', reject);
    request.end(sent);
  });
}
