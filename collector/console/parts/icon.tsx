/** Signs that are not states: drawn, because the fonts of a bare machine lack characters such as arrows. */

const stroke = {
  fill: "none",
  stroke: "currentColor",
  "stroke-width": 1.8,
  "stroke-linecap": "round",
} as const;

const icons = {
  back: <path d="M13 8H3.5M7.5 3.5L3 8l4.5 4.5" {...stroke} />,
  up: <path d="M8 13V3.5M3.5 7.5L8 3l4.5 4.5" {...stroke} />,
  close: <path d="M4 4l8 8M12 4l-8 8" {...stroke} />,
  auto: (
    <>
      <circle cx="8" cy="8" r="5.6" {...stroke} />
      <path d="M8 2.4a5.6 5.6 0 0 1 0 11.2z" fill="currentColor" />
    </>
  ),
  light: <circle cx="8" cy="8" r="5.6" {...stroke} />,
  dark: <circle cx="8" cy="8" r="6.2" fill="currentColor" />,
};

export function Icon({ name }: { name: keyof typeof icons }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
      {icons[name]}
    </svg>
  );
}
