"""Decisions are append-only: the database itself refuses to change a stored verdict."""

from django.db import migrations

# A person, review or image that is deleted may still take its rows along or leave them without a name.
CREATE = """
CREATE FUNCTION annotations_refuse_decision_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.image_id, NEW.tag_id, NEW.value, NEW.scope, NEW.source, NEW.created_at)
       IS DISTINCT FROM (OLD.image_id, OLD.tag_id, OLD.value, OLD.scope, OLD.source, OLD.created_at) THEN
        RAISE EXCEPTION 'decisions are append-only: store a new one instead of changing decision %', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decision_append_only BEFORE UPDATE ON annotations_decision
FOR EACH ROW EXECUTE FUNCTION annotations_refuse_decision_update();
"""
DROP = """
DROP TRIGGER decision_append_only ON annotations_decision;
DROP FUNCTION annotations_refuse_decision_update();
"""


class Migration(migrations.Migration):
    dependencies = [("annotations", "0001_initial")]
    operations = [migrations.RunSQL(CREATE, DROP)]
