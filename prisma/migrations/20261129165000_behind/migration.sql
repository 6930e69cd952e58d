-- How many names of the same person come before it, instead of whether there were as many as run at once.
ALTER TABLE "UserRequest" ADD COLUMN "behind" INTEGER NOT NULL DEFAULT 0;
UPDATE "UserRequest" SET "behind" = 5 WHERE "deferred";
ALTER TABLE "UserRequest" DROP COLUMN "deferred";
