import { useState } from "react";
import { useBook, useConnectionState, useTicks, useTrades } from "./market.tsx";

const DEPTH = 10;
const TRADES_MAX = 15;

/** A page about one instrument out of several. */
export function App({ instruments }: { readonly instruments: readonly string[] }) {
  const [instrument, setInstrument] = useState(instruments[0]);
  const state = useConnectionState();
  return (
    <main data-state={state}>
      <p role="status">{state}</p>
      <nav>
        {instruments.map((name) => (
          <button key={name} aria-pressed={name === instrument} onClick={() => setInstrument(name)}>
            {name}
          </button>
        ))}
        <button onClick={() => setInstrument(undefined)}>nothing</button>
      </nav>
      {instrument !== undefined && (
        <>
          <Ticks instrument={instrument} />
          <Book instrument={instrument} />
          <Trades instrument={instrument} />
        </>
      )}
    </main>
  );
}

type Of = { readonly instrument: string };

function Ticks({ instrument }: Of) {
  const { view: quote, error } = useTicks(instrument);
  if (error !== undefined) return <p role="alert">{error.message}</p>;
  const prices = quote === undefined ? "…" : `${quote.bidPriceText} / ${quote.askPriceText}`;
  return (
    <h1>
      {instrument} <span id="quote">{prices}</span>
    </h1>
  );
}

function Book({ instrument }: Of) {
  const { view: book, error } = useBook(instrument, DEPTH);
  if (error !== undefined) return <p role="alert">{error.message}</p>;
  const { bids = [], asks = [] } = book ?? {};
  return (
    <table id="book">
      <caption>Order book</caption>
      <tbody>
        {Array.from({ length: DEPTH }, (_, level) => (
          <tr key={level}>
            <td>{bids[level]?.sizeText}</td>
            <td>{bids[level]?.priceText}</td>
            <td>{asks[level]?.priceText}</td>
            <td>{asks[level]?.sizeText}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Trades({ instrument }: Of) {
  const { view: trades = [], error } = useTrades(instrument, TRADES_MAX);
  if (error !== undefined) return <p role="alert">{error.message}</p>;
  return (
    <table id="trades">
      <caption>Trades</caption>
      <tbody>
        {trades.map(({ epoch, sequence, priceText, sizeText, aggressorSide }) => (
          <tr key={`${epoch} ${sequence}`} className={aggressorSide}>
            <td>{priceText}</td>
            <td>{sizeText}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
