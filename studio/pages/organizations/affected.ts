/** What is asked for anew once a connection of an organisation changed. */
export const AFFECTED = /^\/api\/(connections|integrations|tenants|runs|flows)/;
