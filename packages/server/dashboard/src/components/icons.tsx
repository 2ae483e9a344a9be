import type { ComponentChildren } from 'preact';

const paths = {
  check: 'M3.5 8.5l3 3 6-7',
  cross: 'M4 4l8 8M12 4l-8 8',
  clock: 'M8 4.5V8l2.500 1.500M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z',
  half: 'M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 2v12',
  hand: 'M3 13h10M4 10l4-7 4 7z',
  arrow: 'M3 8h9M9 4.500l3.500 3.500L9 11.500',
  warning: 'M8 2.500l6 11H2zM8 6.500v3.500M8 11.800v.2',
  plus: 'M8 3v10M3 8h10',
  sliders: 'M2 5h7M12 5h2M2 11h2M7 11h7M10.500 3.200v3.600M5.500 9.200v3.600',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.700 10.700L14 14',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M3.400 12.600l1-1M11.600 4.400l1-1',
  moon: 'M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500z',
  auto: 'M2.500 3.500h11v7h-11zM6 13.500h4M8 10.500v3',
  dots: 'M3.500 8h.01M8 8h.01M12.500 8h.01',
  pause: 'M5.500 3.500v9M10.500 3.500v9',
  play: 'M5 3.500l7 4.500-7 4.500z',
  question: 'M5.500 6a2.500 2.500 0 1 1 3.600 2.200c-.8.4-1.100.8-1.100 1.800M8 12.300v.2',
} as const;

export type IconName = keyof typeof paths;

/** A line drawing beside a text that says the same; hidden from screen readers. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

/** Text for screen readers alone. */
export function Unseen({ children }: { readonly children: ComponentChildren }) {
  return <span class="unseen">{children}</span>;
}
