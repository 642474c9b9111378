#!/usr/bin/env python3
"""A PySync client over RabbitMQ: the whole of PySync's document in one file (docs/pysync-clients.md tells the rules).

    pip install pika        (or: apt-get install python3-pika)
    PYSYNC_PASSWORD=... pysync_client.py amqp://HOST:PORT/VHOST AGENT_KEY EMAIL COMMAND [ARGUMENTS]

Commands: register-user, register-agent, create FILE, open NAME INTO, update NAME FILE, delete NAME, sync.
Prints each answer of the server as one line of JSON; ends with 0 where the last one has the status 200.
"""

import hashlib
import json
import os
import sys
import time

import pika

PIECE = 1024 * 1024  # bytes of a content go in messages of at most 4 MiB
TIMEOUT = 30


class PySync:
    """One connection. A device that has no agent yet comes as `enrol`, and can only register."""

    def __init__(self, url, key, email, password, enrolling=False):
        self.md5 = hashlib.md5(password.encode()).hexdigest().upper()
        self.agent = {"Key": key, "User": {"Email": email, "Password": self.md5}}
        self.user = "enrol" if enrolling else key
        parameters = pika.URLParameters(url)
        parameters.credentials = pika.PlainCredentials(self.user, "enrol" if enrolling else self.md5)
        self.connection = pika.BlockingConnection(parameters)
        self.channel = self.connection.channel()
        self.inbox = []
        # Direct reply-to: answers come to this channel, and to nobody else.
        self.channel.basic_consume("amq.rabbitmq.reply-to", self._received, auto_ack=True)

    def close(self):
        self.connection.close()

    def _received(self, _channel, _method, properties, body):
        self.inbox.append((properties.content_type, body))

    def _publish(self, body, content_type):
        properties = pika.BasicProperties(content_type=content_type, reply_to="amq.rabbitmq.reply-to", user_id=self.user, delivery_mode=2)
        self.channel.basic_publish("pysync", "", body, properties)

    def _next(self):
        until = time.monotonic() + TIMEOUT
        while not self.inbox:
            if time.monotonic() > until:
                raise TimeoutError("no answer: is a gateway running?")
            self.connection.process_data_events(time_limit=1)
        return self.inbox.pop(0)

    def _answer(self):
        content_type, body = self._next()
        assert content_type == "application/json", content_type
        answer = json.loads(body)
        print(json.dumps(answer), flush=True)
        return answer

    def request(self, action, **fields):
        message = {"Action": action, "Timestamp": time.time(), "Agent": self.agent, **fields}
        self._publish(json.dumps(message).encode(), "application/json")
        return self._answer()

    def send(self, action, named, path):
        """Create and Update: announce the size; after 100 send the bytes; then comes 200."""
        size = os.path.getsize(path)
        answer = self.request(action, File={**named, "Size": str(size)})
        if answer["Status"] != 100:
            return answer
        with open(path, "rb") as content:
            while piece := content.read(PIECE):
                self._publish(piece, "application/octet-stream")
        return self._answer()

    def open(self, name, into):
        """The answer tells the size; the bytes follow it."""
        answer = self.request("Open", File={"Name": name})
        if answer["Status"] != 200:
            return answer
        left = int(answer["File"]["Size"])
        with open(into, "wb") as content:
            while left > 0:
                _, piece = self._next()
                content.write(piece)
                left -= len(piece)
        return answer


def main(url, key, email, command, *arguments):
    enrolling = command in ("register-user", "register-agent")
    client = PySync(url, key, email, os.environ["PYSYNC_PASSWORD"], enrolling)
    try:
        if command == "register-user":
            answer = client.request("RegisterUser")
        elif command == "register-agent":
            answer = client.request("RegisterAgent")
        elif command == "create":
            answer = client.send("Create", {"OriginalName": os.path.basename(arguments[0])}, arguments[0])
        elif command == "open":
            answer = client.open(arguments[0], arguments[1])
        elif command == "update":
            answer = client.send("Update", {"Name": arguments[0]}, arguments[1])
        elif command == "delete":
            answer = client.request("Delete", File=arguments[0])
        elif command == "sync":
            answer = client.request("Sync")
        else:
            print(__doc__, file=sys.stderr)
            return 2
    finally:
        client.close()
    return 0 if answer["Status"] == 200 else 1


if __name__ == "__main__":
    if len(sys.argv) < 5:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
