package mongotest

import (
	"github.com/256dpi/lungo/bsonkit"
	"github.com/256dpi/lungo/mongokit"
	"go.mongodb.org/mongo-driver/bson"
)

// stage is one step of a pipeline. It must not change the documents it is
// given.
type stage func(list bsonkit.List, spec any) (bsonkit.List, error)

var stages = map[string]stage{
	"$match": matchStage, "$sort": sortStage, "$limit": limitStage, "$skip": skipStage,
	"$project": projectStage, "$group": groupStage, "$count": countStage,
}

// stagesNotHere are stages which MongoDB has and this server has not.
var stagesNotHere = map[string]bool{
	"$addFields": true, "$bucket": true, "$bucketAuto": true, "$changeStream": true, "$collStats": true,
	"$densify": true, "$documents": true, "$facet": true, "$fill": true, "$geoNear": true, "$graphLookup": true,
	"$indexStats": true, "$lookup": true, "$merge": true, "$out": true, "$redact": true, "$replaceRoot": true,
	"$replaceWith": true, "$sample": true, "$search": true, "$set": true, "$setWindowFields": true,
	"$sortByCount": true, "$unionWith": true, "$unset": true, "$unwind": true,
}

func (s *Server) aggregate(r *request) (bson.D, error) {
	pipeline := r.documents("pipeline")
	if len(pipeline) > 0 && len(pipeline[0]) == 1 && pipeline[0][0].Key == "$changeStream" {
		return s.openChangeStream(r, pipeline)
	}
	if r.handle[1] == "" {
		return nil, fail(codeInvalidNamespace, "{aggregate: 1} is not valid for this pipeline")
	}
	if err := checkStages(pipeline); err != nil {
		return nil, err
	}
	list, err := s.lookUp(r, "", nil, 0)
	if err != nil {
		return nil, err
	}
	if list, err = through(pipeline, list); err != nil {
		return nil, err
	}
	options, _ := r.get("cursor").(bson.D)
	return s.cursors.open(s, r.namespace(), contents(list), batchSize(field(options, "batchSize")), false), nil
}

// checkStages refuses a pipeline before any of it runs.
func checkStages(pipeline []bson.D) error {
	for _, one := range pipeline {
		if len(one) != 1 {
			return fail(40323, "A pipeline stage specification object must contain exactly one field.")
		}
		name := one[0].Key
		switch {
		case stages[name] != nil:
		case stagesNotHere[name]:
			return fail(codeNotImplemented, "the embedded server does not implement the stage %s", name)
		default:
			return fail(codeUnknownStage, "Unrecognized pipeline stage name: '%s'", name)
		}
	}
	return nil
}

// through passes the documents through the stages of a checked pipeline.
func through(pipeline []bson.D, list bsonkit.List) (bsonkit.List, error) {
	for _, one := range pipeline {
		var err error
		if list, err = stages[one[0].Key](list, one[0].Value); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// stageDocument returns the stage's specification if it is a document.
func stageDocument(name string, spec any) (bsonkit.Doc, error) {
	if d := asDocument(spec); d != nil {
		return d, nil
	}
	return nil, fail(codeTypeMismatch, "the %s specification must be an object", name)
}

func matchStage(list bsonkit.List, spec any) (bsonkit.List, error) {
	filter, err := stageDocument("$match", spec)
	if err != nil {
		return nil, err
	}
	if err := checkFilter(*filter); err != nil {
		return nil, err
	}
	return mongokit.Filter(list, filter, 0)
}

func sortStage(list bsonkit.List, spec any) (bsonkit.List, error) {
	order, err := stageDocument("$sort", spec)
	if err != nil {
		return nil, err
	}
	return mongokit.Sort(list, order)
}

func projectStage(list bsonkit.List, spec any) (bsonkit.List, error) {
	fields, err := stageDocument("$project", spec)
	if err != nil {
		return nil, err
	}
	return project(list, fields)
}

func limitStage(list bsonkit.List, spec any) (bsonkit.List, error) {
	n, ok := asInt(spec)
	if !ok || n <= 0 {
		return nil, fail(15958, "the limit must be positive")
	}
	return list[:min(int(n), len(list))], nil
}

func skipStage(list bsonkit.List, spec any) (bsonkit.List, error) {
	n, ok := asInt(spec)
	if !ok || n < 0 {
		return nil, fail(5107200, "invalid argument to $skip stage")
	}
	return list[min(int(n), len(list)):], nil
}

// countStage yields no document at all for an empty input, as MongoDB.
func countStage(list bsonkit.List, spec any) (bsonkit.List, error) {
	name := asString(spec)
	if name == "" {
		return nil, fail(40156, "the count field must be a non-empty string")
	}
	if len(list) == 0 {
		return nil, nil
	}
	d := document(name, int32(len(list)))
	return bsonkit.List{&d}, nil
}
