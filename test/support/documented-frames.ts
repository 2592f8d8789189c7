/** Of venues that are scanned and have no capture: messages in their documented forms. */
export const DOCUMENTED_FRAMES = {
  upbit: [
    '{"type":"orderbook","code":"KRW-BTC","timestamp":1785397531885,"total_ask_size":12.5,"total_bid_size":8.25,"orderbook_units":[{"ask_price":91155000.00000000,"bid_price":91154000.00000000,"ask_size":0.17000000,"bid_size":0.78754733},{"ask_price":91156000,"bid_price":91153000,"ask_size":0.00008428,"bid_size":8.428e-05}],"stream_type":"SNAPSHOT","level":0}',
    '{"type":"orderbook","code":"KRW-BTC","timestamp":1785397532885,"total_ask_size":12.5,"total_bid_size":8.25,"orderbook_units":[{"ask_price":91155000.5,"bid_price":91154000,"ask_size":0.17,"bid_size":0.787547331}],"stream_type":"REALTIME","level":0}',
    '{"type":"orderbook","code":"KRW-BTC","timestamp":1785397532886,"orderbook_units":[{"ask_price":91155000,"bid_price":91154000,"ask_size":1,"bid_size":2}]}',
    '{"type":"trade","code":"KRW-BTC","timestamp":1785397531022,"trade_date":"2026-07-30","trade_time":"07:45:31","trade_timestamp":1785397530985,"trade_price":91154000.00000000,"trade_volume":0.06499468,"ask_bid":"ASK","prev_closing_price":90512000.00000000,"change":"RISE","change_price":642000.00000000,"sequential_id":17853975310010000,"best_ask_price":91155000,"best_ask_size":0.04414411,"stream_type":"REALTIME"}',
    '{"type":"trade","code":"KRW-BTC","timestamp":1785397531922,"trade_timestamp":1785397531885,"trade_price":91155000.00000000,"trade_volume":8.428e-05,"ask_bid":"BID","sequential_id":17853975318850001,"stream_type":"REALTIME"}',
  ],
  cryptocom: [
    '{"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":"book.BTCUSD-PERP.50","channel":"book","depth":50,"data":[{"asks":[["87512.5","0.1250","2"],["87513.0","0.5000","1"]],"bids":[["87512.0","0.7431","3"]],"t":1767225600028,"tt":1767225600024,"u":72560693920512}]}}',
    '{"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":"book.BTCUSD-PERP.50","channel":"book.update","depth":50,"data":[{"update":{"asks":[["87512.5","0","0"]],"bids":[["87511.5","1.3000","5"],["87511.25","0.12345","1"]]},"t":1767225600131,"tt":1767225600125,"u":72560693926784,"pu":72560693920512}]}}',
    '{"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":"book.BTCUSD-PERP.50","channel":"book.update","depth":50,"data":[{"update":{"bids":[],"asks":[]},"t":1767225605131,"tt":1767225600125,"u":72560693926790,"pu":72560693926784,"cs":824172}]}}',
    '{"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":"trade.BTCUSD-PERP","channel":"trade","data":[{"d":"4611686018439397543","t":1767225600012,"p":"87513.0","q":"0.2500","s":"BUY","i":"BTCUSD-PERP","m":"76423"}]}}',
    '{"id":-1,"method":"subscribe","code":0,"result":{"instrument_name":"BTCUSD-PERP","subscription":"trade.BTCUSD-PERP","channel":"trade","data":[{"d":"4611686018439397544","t":1767225600013,"p":"87512.75","q":"0.00001","s":"SELL","i":"BTCUSD-PERP"}]}}',
  ],
} as const;
