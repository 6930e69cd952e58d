-- What was made lately, and how fast. Partial: a name that waits is not in it, so queueing costs nothing more.
CREATE INDEX "VideoAsset_made_idx" ON "VideoAsset"("availableAt") WHERE "status" = 'AVAILABLE';

-- What people had to wait for: a small share of what they ask for.
CREATE INDEX "UserRequest_missed_idx" ON "UserRequest"("createdAt", "assetId") WHERE NOT "hit";

-- CreateTable
CREATE TABLE "RefusalCount" (
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT NOT NULL,
    "count" INTEGER NOT NULL,

    CONSTRAINT "RefusalCount_pkey" PRIMARY KEY ("hour","reason")
);
