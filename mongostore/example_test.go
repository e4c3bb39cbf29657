package mongostore_test

import (
	"fmt"
	"log"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/mongostore"
)

// Neither Connect nor New speaks with the server; the first Load or Save does.
func ExampleNew() {
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://127.0.0.1:27017"))
	if err != nil {
		log.Fatal(err)
	}
	store, err := mongostore.New(client.Database("app").Collection("accounts"), nil)
	if err != nil {
		log.Fatal(err)
	}
	_, isStore := any(store).(twilioacct.Store)
	fmt.Println(isStore)
	// Output: true
}

// An application whose documents look otherwise says where the fields are.
func ExamplePaths() {
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://127.0.0.1:27017"))
	if err != nil {
		log.Fatal(err)
	}
	customers := client.Database("app").Collection("customers")

	_, err = mongostore.New(customers, &mongostore.Options{Paths: mongostore.Paths{
		SID:       "phone.account",
		AuthToken: "phone.token",
		Status:    "phone.state",
	}})
	fmt.Println(err)

	_, err = mongostore.New(customers, &mongostore.Options{Paths: mongostore.Paths{SID: "phone", AuthToken: "phone.token"}})
	fmt.Println(err)
	// Output:
	// <nil>
	// mongostore: Paths.AuthToken "phone.token" and Paths.SID "phone": one is the other, or lies in it: give each field a path of its own: invalid argument
}
