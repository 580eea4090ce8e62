package openapi

// refusals are the answers to a request that is not accepted, in the order of
// their status.
var refusals = []struct {
	status     int
	name, text string
	headers    object
}{
	{400, "BadRequest", "The id or the body is malformed.", nil},
	{401, "Unauthorized", "A proof is missing or wrong. The text is the same for every reason.", object{
		{"WWW-Authenticate", header("The challenge, where the scheme has one.", "string")},
	}},
	{403, "Forbidden", "The address is not allowed, or a scope is missing.", nil},
	{404, "NotFound", "There is no such hook.", nil},
	{405, "MethodNotAllowed", "The hook takes POST.", object{{"Allow", header("The methods that it takes.", "string")}}},
	{413, "ContentTooLarge", "The body is over the limit.", nil},
	{415, "UnsupportedMediaType", "The content type or the content encoding is not one that the hook takes.", nil},
	{422, "UnprocessableContent", "The body breaks the JSON Schema of the hook.", nil},
	{429, "TooManyRequests", "There were too many requests.", retryAfter()},
	{431, "RequestHeaderFieldsTooLarge", "The header section is too large.", nil},
	{503, "ServiceUnavailable", "The event cannot be stored, or a proof cannot be checked, now. Nothing was kept: send it again.", retryAfter()},
}

func header(description, kind string) object {
	return object{{"description", description}, {"schema", object{{"type", kind}}}}
}

func retryAfter() object {
	return object{{"Retry-After", object{
		{"description", "Seconds to wait."}, {"schema", object{{"type", "integer"}, {"minimum", 0}}},
	}}}
}

func eventIDHeader() object {
	return object{{"description", "The id of the event."}, {"schema", object{{"type", "string"}, {"format", "uuid"}}}}
}

func commonResponses() object {
	out := object{{"Accepted", object{
		{"description", "The event is stored durably, or was before."},
		{"headers", object{{"Hookd-Event-Id", eventIDHeader()}}},
		{"content", object{{"application/json", object{{"schema", object{{"$ref", "#/components/schemas/Accepted"}}}}}}},
	}}}
	for _, r := range refusals {
		schema := "Problem"
		if r.status == 422 {
			schema = "Violations"
		}
		out = append(out, member{r.name, object{{"description", r.text}}.set("headers", r.headers).set("content", object{
			{"application/problem+json", object{{"schema", object{{"$ref", "#/components/schemas/" + schema}}}}},
		})})
	}
	return out
}

func commonSchemas() object {
	text := func(description string) object { return object{{"type", "string"}, {"description", description}} }
	problem := object{
		{"type", object{{"type", "string"}, {"format", "uri-reference"}}},
		{"title", text("The reason of the status.")},
		{"status", object{{"type", "integer"}}},
		{"detail", text("What is wrong, for a person.")},
		{"code", text("What is wrong, as a stable slug.")},
		{"request_id", text("Names the request in the log of the server.")},
	}
	violation := object{
		{"type", "object"},
		{"required", []any{"pointer", "detail"}},
		{"properties", object{
			{"pointer", text("Where in the body, as a JSON Pointer (RFC 6901).")},
			{"detail", text("What is wrong there.")},
		}},
	}
	return object{
		{"Accepted", object{
			{"type", "object"},
			{"required", []any{"message", "id"}},
			{"properties", object{
				{"message", object{{"type", "string"}, {"examples", []any{"200 OK"}}}},
				{"id", object{{"type", "string"}, {"format", "uuid"}, {"description", "The id of the event."}}},
				{"duplicate", object{{"type", "boolean"}, {"description", "The event was stored before; the id is the first one's."}}},
			}},
		}},
		{"Problem", object{
			{"type", "object"},
			{"description", "A problem document (RFC 9457)."},
			{"required", []any{"detail", "code", "request_id"}},
			{"properties", problem},
		}},
		{"Violations", object{
			{"allOf", []any{object{{"$ref", "#/components/schemas/Problem"}}}},
			{"type", "object"},
			{"properties", object{{"errors", object{{"type", "array"}, {"items", violation}}}}},
		}},
	}
}
