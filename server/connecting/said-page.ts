/** A page for a person whose browser comes back from somewhere else: a title, a sentence, and where to go on. Nothing is inline. */
import type { FastifyReply } from "fastify";

export interface Onwards { readonly href: string; readonly label: string }

export const saidPage = (reply: FastifyReply, title: string, text: string, onwards?: Onwards): FastifyReply => reply.type("text/html; charset=utf-8").send(
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escaped(title)}</title><link rel="stylesheet" href="/connect/connect.css"><main><h1>${escaped(title)}</h1><p>${escaped(text)}</p>${onwards === undefined ? "" : `<p><a href="${escaped(onwards.href)}">${escaped(onwards.label)}</a></p>`}</main></html>`);

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
