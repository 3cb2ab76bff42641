/**
 * Signed requests as providers publish them, each with the `verify` block that accepts it: what the tests of every scheme, of the
 * command line and of mutations stand on. Facts of the sources named; where none is published, computed as the source describes.
 */
import type { IncomingRequest } from "../../../../engine/components/kinds.ts";
import type { ComponentPlan } from "../../../../engine/plan/types.ts";

export interface SignedRequest {
  readonly name: string;
  readonly source: string;
  readonly verify: ComponentPlan;
  /** `config.key` of the block. */
  readonly key: string;
  readonly method?: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Milliseconds since the epoch, where the time is signed. */
  readonly at?: number;
}

export const requestOf = ({ method = "POST", url, headers, body }: SignedRequest): IncomingRequest => ({ method, url, headers, body: Buffer.from(body) });

export const signedRequests: readonly SignedRequest[] = [
  {
    name: "quickbooks", source: "intuit/QuickBooks-V3-Java-SDK WebhooksServiceTest.java",
    verify: {"type": "hmac", "secret": "{{config.key}}", "signature": {"header": "intuit-signature", "encoding": "base64"}},
    key: "b5771f19b12ddb4bcdb9f08bdc50bc63878a",
    url: "https://hooks.example.com/webhooks/crm/token",
    headers: {"intuit-signature": "JC2GUwciPmRBwEO7WvrRmKqu9tGOKL8FFallocTFi8Q="},
    body: "{\"eventNotifications\":[{\"realmId\":\"1185883450\",\"dataChangeEvent\":{\"entities\":[{\"name\":\"Customer\",\"id\":\"1\",\"operation\":\"Create\",\"lastUpdated\":\"2015-10-05T14:42:19-0700\"}]}}]}",
  },
  {
    name: "slack", source: "docs.slack.dev verifying-requests-from-slack; slackapi/python-slack-sdk tests",
    verify: {"type": "hmac", "secret": "{{config.key}}", "signed": "v0:{{timestamp}}:{{request.body}}", "signature": {"header": "x-slack-signature", "prefix": "v0=", "encoding": "hex"}, "timestamp": {"header": "x-slack-request-timestamp"}},
    key: "8f742231b10e8888abcd99yyyzzz85a5",
    url: "https://hooks.example.com/webhooks/crm/token",
    headers: {"x-slack-request-timestamp": "1531420618", "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"},
    body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c", at: 1531420618000,
  },
  {
    name: "twilio", source: "twilio/twilio-node spec/validation.spec.js (same as Twilio docs)",
    verify: {"type": "hmac", "algorithm": "sha1", "secret": "{{config.key}}", "signed": "{{request.url}}{{request.sorted_form}}", "signature": {"header": "x-twilio-signature", "encoding": "base64"}},
    key: "12345",
    url: "https://mycompany.com/myapp.php?foo=1&bar=2",
    headers: {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=", "content-type": "application/x-www-form-urlencoded"},
    body: "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
  },
  {
    name: "resend", source: "svix/svix-webhooks javascript/src/webhook.test.ts",
    verify: {"type": "standard_webhooks", "secret": "{{config.key}}", "headers": "svix"},
    key: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    url: "https://hooks.example.com/webhooks/crm/token",
    headers: {"svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "svix-timestamp": "1614265330", "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
    body: "{\"test\": 2432232314}", at: 1614265330000,
  },
  {
    name: "sendgrid", source: "sendgrid/sendgrid-nodejs packages/eventwebhook/src/eventwebhook.spec.js",
    verify: {"type": "ecdsa", "key": "{{config.key}}", "signed": "{{timestamp}}{{request.body}}", "signature": {"header": "x-twilio-email-event-webhook-signature", "encoding": "base64"}, "timestamp": {"header": "x-twilio-email-event-webhook-timestamp"}},
    key: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g==",
    url: "https://hooks.example.com/webhooks/crm/token",
    headers: {"x-twilio-email-event-webhook-signature": "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=", "x-twilio-email-event-webhook-timestamp": "1600112502"},
    body: "[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n", at: 1600112502000,
  },
  {
    name: "microsoft-teams", source: "algorithm from OfficeDev/msteams-samples-outgoing-webhook-nodejs app.js; key is the public sample key in microsoft-teams-sample-outgoing-webhook AuthProvider.cs; body ours",
    verify: {"type": "hmac", "secret": "{{config.key}}", "secret_encoding": "base64", "signature": {"header": "authorization", "prefix": "HMAC ", "encoding": "base64"}},
    key: "vqF0En+Z0ucuRTM/01o2GuhMH3hKKk/N2bOmlM31zaA=",
    url: "https://hooks.example.com/webhooks/crm/token",
    headers: {"authorization": "HMAC EJvQcBSrKiwSVliNKfvsJzctford6DreSc0R7/IAXM0="},
    body: "{\"type\":\"message\",\"id\":\"1485983408511\",\"text\":\"<at>Webhook</at> hello\",\"from\":{\"id\":\"29:1XJKJMvc5GBtc2JwZq0oj8tHZmzrQgFmB39ATiQWA85gQtHieVkKilBZ9XHoq9j7Zaqt7CZ-NJWi7me2kHTL3Bw\",\"name\":\"Tim Jones\"}}",
  },
  {
    name: "xero", source: "developer.xero.com configuring-your-server; secret ours",
    verify: {"type": "hmac", "secret": "{{config.key}}", "signature": {"header": "x-xero-signature", "encoding": "base64"}},
    key: "xero-webhook-signing-key-example",
    url: "https://hooks.example.com/webhooks/crm/token",
    headers: {"x-xero-signature": "UguA0umsAmscpHM7FVFhMQF3ztOuQl8oMWPn+vWSFa0="},
    body: "{\"events\":[],\"lastEventSequence\":0,\"firstEventSequence\":0,\"entropy\":\"S0m3r4Nd0mt3xt\"}",
  },
  {
    name: "dropbox", source: "dropbox.com/developers/reference/webhooks; secret ours",
    verify: {"type": "hmac", "secret": "{{config.key}}", "signature": {"header": "x-dropbox-signature", "encoding": "hex"}},
    key: "dropbox-app-secret",
    url: "https://hooks.example.com/webhooks/crm/token",
    headers: {"x-dropbox-signature": "538cec4e79a2abb00aa7fe3a91fedf53c34cbbb93db1780f42870f05a6296ae2"},
    body: "{\"list_folder\": {\"accounts\": [\"dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc\"]}, \"delta\": {\"users\": [4245623]}}",
  },
  {
    name: "discord", source: "public test keypair from pmgledhill102/insomnia-plugin-discord-auth README; ping body from discord-interactions-js test utils; signature computed here",
    verify: {"type": "ed25519", "key": "{{config.key}}", "signature": {"header": "x-signature-ed25519"}, "timestamp": {"header": "x-signature-timestamp"}},
    key: "07f3be2df0be6b4befca007f190468c3c1a640dbb4d50beaa8d98e4671c0e9db",
    url: "https://hooks.example.com/webhooks/crm/token",
    headers: {"x-signature-ed25519": "dccd909cffca2111920c9c4551c7eb92bf4115d272282c17a40fa6107e924a2263e49e286dbf7b158fb77be58b05c3b9ce26d288b18d1303726c6e6f77ebb505", "x-signature-timestamp": "1722470400"},
    body: "{\"id\":\"787053080478613555\",\"token\":\"ThisIsATokenFromDiscordThatIsVeryLong\",\"type\":1,\"version\":1}", at: 1722470400000,
  },  {
    name: "twilio, JSON body", source: "twilio/twilio-node spec/validation.spec.js",
    verify: { type: "hmac", algorithm: "sha1", secret: "{{config.key}}", signed: "{{request.url}}", signature: { header: "x-twilio-signature", encoding: "base64" }, digest: { query: "bodySHA256" } },
    key: "12345",
    url: "https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620",
    headers: { "content-type": "application/json", "x-twilio-signature": "a9nBmqA0ju/hNViExpshrM61xv4=" },
    body: '{"property": "value", "boolean": true}',
  },
  {
    name: "hubspot, v1", source: "developers.hubspot.com/docs/faq/v1-request-validation",
    verify: { type: "digest", secret: "{{config.key}}", signature: { header: "x-hubspot-signature" } },
    key: "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", url: "https://www.example.com/webhook_uri",
    headers: { "x-hubspot-signature": "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de" },
    body: '[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]',
  },
  {
    name: "hubspot, v2", source: "developers.hubspot.com/docs/faq/v2-request-validation",
    verify: { type: "digest", secret: "{{config.key}}", signed: "{{secret}}{{request.method}}{{request.url}}{{request.body}}", signature: { header: "x-hubspot-signature" } },
    key: "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", url: "https://www.example.com/webhook_uri",
    headers: { "x-hubspot-signature": "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900" },
    body: '{"example_field":"example_value"}',
  },
  {
    name: "github", source: "docs.github.com, validating webhook deliveries",
    verify: { type: "hmac", algorithm: "sha256", secret: "{{config.key}}", signature: { header: "x-hub-signature-256", prefix: "sha256=", encoding: "hex" } },
    key: "It's a Secret to Everybody", url: "https://www.example.com/payload",
    headers: { "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17" },
    body: "Hello, World!",
  },
  {
    name: "resend, by hmac", source: "svix/svix-webhooks javascript/src/webhook.test.ts",
    verify: { type: "hmac", secret: "{{config.key}}", secret_encoding: "base64", secret_prefix: "whsec_", signed: "{{id}}.{{timestamp}}.{{request.body}}", signature: { header: "svix-signature", separator: " ", prefix: "v1,", encoding: "base64" }, timestamp: { header: "svix-timestamp" }, id: { header: "svix-id" } },
    key: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", url: "https://hooks.example.com/webhooks/crm/token",
    headers: { "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "svix-timestamp": "1614265330", "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" },
    body: '{"test": 2432232314}', at: 1614265330000,
  },
];
