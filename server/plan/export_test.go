package plan

// Reply is what a hook says on acceptance.
var Reply = reply
