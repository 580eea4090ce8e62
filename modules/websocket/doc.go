package websocket

const doc = `
**When a delivery counts.** WebSocket itself confirms nothing. hookd does what can be done on three levels:

| setting | counts when | what can still lose it |
|---|---|---|
| ` + "`\"wait_for_response\": true`" + ` | the server has replied, with ` + "`expect_reply` or the same `id` (`match_id`)" + ` if that is set. The one to choose where each event counts: a server that replies when it has stored the event loses none | nothing |
| neither, the default | the server has answered a ping that was sent behind the message. Frames are read and answered in order, so its WebSocket library has read the message whole | a crash of the server between that and its work; what its program thinks of the event, and a gateway in between that answers pings itself |
| ` + "`\"confirm\": false`" + ` | the operating system has taken it: at most once | the loss of the connection, of which hookd learns too late |

The ping costs one round trip for a batch of up to 100, as each confirmation does; events that come while hookd waits for it form the next batch. With ` + "`wait_for_response`" + ` and without ` + "`match_id`" + ` there is one round trip for each event, and one event under way
for each of ` + "`max_connections`" + `. The first message that comes after the event is its reply then: a server that also speaks unasked needs ` + "`match_id`" + `.

**What is sent.** One message for each event. With ` + "`format`: `json`" + `, as the original service did, a JSON object: ` + "`payload`" + `, the delivered body, byte for byte where it is JSON, and as a JSON string where it is other text; ` + "`payload_base64`" + ` instead where it is neither; with
` + "`include_headers` also `headers`" + `, an object with names in lower case: the sender's (unless ` + "`forward_headers`" + ` is false) and ` + "`hookd-event-id`, `hookd-delivery-id`, `hookd-hook`, `hookd-attempt`, `traceparent` and `content-type`" + `; with ` + "`match_id` also `id`" + `, the delivery's.
With ` + "`raw`" + ` the delivered bytes and nothing else. Messages are of type text where they are UTF-8, and else binary (` + "`frame`" + `). Larger ones are sent in fragments of 16 KiB.

**Repeats.** A delivery whose confirmation is lost is sent again. ` + "`hookd-delivery-id` and `id`" + ` are the same then; without either a repeat cannot be told from another event.

**The connection** is opened with the first delivery, kept open with a ping every ` + "`ping_interval`" + `, and opened anew with the next delivery when it is lost. Each destination has its own. Redirects are not followed, no proxy is used and nothing is compressed. A ` + "`url` in `module-config`" + ` is
subject to the egress policy, and nothing of the connection entry is used for it; the ` + "`url`" + ` of a connection entry is the operator's word, and ` + "`headers` and `query`" + ` of a destination without a url of its own are added to it.

**What a failure means.**

| | outcome |
|---|---|
| the server cannot be reached, or hangs up before it has answered | tried again, ` + "`unavailable`" + ` |
| its certificate is refused | tried again, ` + "`tls`" + ` |
| it answers 401 or 403 | tried again, ` + "`auth_failed`" + ` |
| 404 or 410 | tried again, ` + "`not_found`" + ` |
| 429; 5xx with Retry-After | tried again after Retry-After, ` + "`throttled`; `unavailable`" + ` |
| other 5xx, 408 | tried again, ` + "`unavailable`" + ` |
| any other answer than 101, a redirect among them | tried again, ` + "`bad_answer`" + ` |
| no confirmation within ` + "`timeout`" + ` | tried again over a new connection, ` + "`timeout`" + ` |
| the reply is not ` + "`expect_reply`, or that with the `id` has an `error`" + ` | tried again, ` + "`websocket_reply`" + ` |
| the connection is lost, or closed with 1000, 1001 or no code | tried again, ` + "`connection_lost`" + ` |
| closed with 1002 or 1010 | tried again, ` + "`bad_answer`" + ` |
| closed with 1003 or 1007 | dead letter, ` + "`refused`" + ` |
| closed with 1008, 3000 or 3003 | tried again, ` + "`auth_failed`" + `: a token that has run out must not cost events |
| closed with 1009, or above ` + "`max_message_size`" + ` | dead letter, ` + "`too_large`" + ` |
| closed with 1011 | tried again, ` + "`unavailable`" + ` |
| closed with 1012 or 1013 | tried again after 5 s, ` + "`unavailable` or `throttled`" + ` |
| closed with any other code | tried again, ` + "`websocket_`" + ` and the code |
| closed with one of ` + "`reject_codes`" + ` | dead letter, with the code that stands above |
| not UTF-8, and ` + "`\"frame\": \"text\"`" + ` | dead letter, ` + "`websocket_not_text`" + ` |

A close says nothing of which message it is about. Before hookd gives one up it sends it once more over a new connection, alone.
`
