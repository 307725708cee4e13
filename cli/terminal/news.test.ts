import { expect, it } from 'vitest';
import { createNews } from './news.ts';

it('tells a reason once, however often and by turns with others it comes', () => {
  const isNews = createNews({ now: () => 0 });
  expect(['a', 'a', 'b', 'a', 'b'].map(isNews)).toEqual([true, false, true, false, false]);
});

it('tells it again after a minute of silence, not after a minute of repetition', () => {
  let now = 0;
  const isNews = createNews({ now: () => now });
  const told = [0, 40_000, 80_000, 120_000, 180_001].map((time) => {
    now = time;
    return isNews('a');
  });
  expect(told).toEqual([true, false, false, false, true]);
});

it('forgets the text told longest ago when they are too many', () => {
  const isNews = createNews({ now: () => 0 });
  for (let text = 0; text <= 100; text += 1) isNews(String(text));
  expect([isNews('100'), isNews('0')]).toEqual([false, true]);
});
