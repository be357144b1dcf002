// The short form of scripts/soak-wire.
import { test } from 'node:test';
import { judge, soak } from './soak.mjs';

test('20,000 good calls of 100 connections beside hostile ones: none fails, and memory is what it was', { timeout: 300_000 }, async () => {
  judge(await soak(20_000, 100), 8192);
});
