// The server's interface, one function an endpoint. What goes wrong is an ApiError with a sentence for
// people.

import { timed } from "./line.js";
import { change } from "./own.js";
import { sentence } from "./words.js";

export class ApiError extends Error {
  /** `start` and `end` are the place in the query that is meant, if any. */
  constructor(status, { sentence: text, what = "", start = null, end = null, suggestions = [] }) {
    super(sentence(text));
    Object.assign(this, { status, what, start, end, suggestions });
  }
}

function address(path, parameters = {}) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "" && value !== false) search.set(name, value);
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

async function ask(path, { parameters, signal, as = "json", ...options } = {}) {
  let answer;
  try {
    answer = await fetch(address(path, parameters), { signal, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { sentence: "The server does not answer. Is dss-search serve still running?" });
  }
  if (!answer.ok) throw await failure(answer);
  if (answer.status === 204) return null;
  return typeof as === "function" ? as(answer) : answer[as]();
}

async function failure(answer) {
  try {
    const { error } = await answer.json();
    return new ApiError(answer.status, error);
  } catch {
    return new ApiError(answer.status, { sentence: `The server answered with status ${answer.status}.` });
  }
}

function send(method, path, body, options = {}) {
  const isForm = body instanceof FormData;
  return ask(path, {
    method,
    body: isForm ? body : JSON.stringify(body),
    headers: isForm ? {} : { "Content-Type": "application/json" },
    ...options,
  });
}

function form(files, name) {
  const data = new FormData();
  for (const file of files) data.append(name, file, file.name);
  return data;
}

/** Of a saved query. The mark before its name keeps "." and ".." from being taken for steps of the path. */
function savedAddress(name) {
  return `/api/saved/${encodeURIComponent(name.startsWith("@") ? name : `@${name}`)}`;
}

export const api = {
  archive: () => ask("/api/archive"),
  query: (parameters, signal, onText) =>
    ask("/api/query", { parameters, signal, as: (answer) => timed(answer, onText) }),
  read: (q, signal) => ask("/api/read", { parameters: { q }, signal }),
  complete: (q, at, signal) => ask("/api/complete", { parameters: { q, at }, signal }),
  facets: (q, signal) => ask("/api/facets", { parameters: { q }, signal }),
  photo: (id, signal) => ask(`/api/photos/${id}`, { signal }),
  picture: (url, signal, priority) => ask(url, { signal, priority, as: "blob" }),
  download: (url) => ask(url, { as: "blob" }),
  sketch: (painting, signal) => send("POST", "/api/sketch", painting, { signal }),
  sketched: (token) => ask(`/api/sketch/${encodeURIComponent(token)}`),
  similar: (file) => send("POST", "/api/similar", form([file], "photo")),
  tag: (ids, add, remove) => send("POST", "/api/tags", { ids, add, remove }),
  rate: (ids, rating) => send("POST", "/api/ratings", { ids, rating }),
  bin: (ids) => change(() => send("POST", "/api/bin", { ids })),
  restore: (ids) => change(() => send("POST", "/api/bin/restore", { ids })),
  saved: () => ask("/api/saved"),
  save: (name, query, replace = false) => send("PUT", savedAddress(name), { query, replace }),
  forget: (name) => ask(savedAddress(name), { method: "DELETE" }),
  findDuplicates: () => send("POST", "/api/duplicates", {}),
  duplicates: () => ask("/api/duplicates"),
  ingest: (files) => send("POST", "/api/ingest", form(files, "files")),
  synchronise: (folder) => send("POST", "/api/ingest", { folder }),
};

/**
 * Where a stage of a photo is as a picture; `size` is its longer side at most, in pixels, none for its own.
 */
export function stageUrl({ id, version }, stage, { size = null, format = "webp", download = false } = {}) {
  return address(`/api/photos/${id}/stages/${stage}`, { format, size, v: version, download });
}

export function fileUrl(id) {
  return `/api/photos/${id}/file`;
}

export function originalUrl(id) {
  return `/api/photos/${id}/original`;
}

export function exportUrl(parameters) {
  return address("/api/export", parameters);
}

export const INGEST_EVENTS = "/api/ingest/events";
