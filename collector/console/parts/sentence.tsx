/** A sentence in which names like `core-db-03` are not broken at their hyphens. */

const name = /([\w.]+(?:-[\w.]+)+)/;

export function Sentence({ text }: { text: string }) {
  return (
    <>
      {text.split(name).map((part, i) =>
        i % 2 === 1 ? (
          <span key={i} class="nowrap">
            {part}
          </span>
        ) : (
          part
        ),
      )}
    </>
  );
}
